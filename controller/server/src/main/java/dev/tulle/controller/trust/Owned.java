package dev.tulle.controller.trust;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.util.Map;
import java.util.function.Supplier;

/** Names of what the controller keeps in its own namespace, and the marks on what it makes. */
final class Owned {
    static final String NAMESPACE = "tulle-system";
    static final String AUTHORITY = "tulle-authority";
    static final String ISSUER = "tulle-issuer";
    static final String WEBHOOK = "tulle-webhook";
    static final String TRUST = "tulle-trust";

    static final String MANAGED_BY = "app.kubernetes.io/managed-by";
    static final String CONTROLLER = "tulle-controller";

    /** On every object made here. */
    static final Map<String, String> LABELS =
            Map.of("app.kubernetes.io/name", "tulle", "app.kubernetes.io/part-of", "tulle", MANAGED_BY, CONTROLLER);

    static final int FORBIDDEN = 403;
    static final int NOT_FOUND = 404;
    static final int CONFLICT = 409;

    private Owned() {}

    /** Server-side apply as one field manager; what others wrote in our fields is overwritten. */
    static PatchContext apply(String fieldManager) {
        return new PatchContext.Builder()
                .withPatchType(PatchType.SERVER_SIDE_APPLY)
                .withFieldManager(fieldManager)
                .withForce(true)
                .build();
    }

    /** Whether a write was made; false when somebody else's came first. */
    static boolean unlessConflict(Supplier<?> write) {
        try {
            Object unused = write.get();
            return true;
        } catch (KubernetesClientException e) {
            if (e.getCode() == CONFLICT) {
                return false;
            }
            throw e;
        }
    }

    /** One line of why the API server did not do something. */
    static String reason(KubernetesClientException e) {
        String message = e.getStatus() != null && e.getStatus().getMessage() != null
                ? e.getStatus().getMessage()
                : String.valueOf(e.getMessage());
        return message.lines().findFirst().orElse("no reason given");
    }
}
