package dev.tulle.controller.kubernetes;

import static java.util.Objects.requireNonNull;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import org.jboss.logging.Logger;

/** The label by which the Service of proxies and people finds the replica that leads. */
public final class LeaderLabel {
    /** Its key; the value is {@code true}. */
    public static final String KEY = "tulle.dev/leader";

    private static final String VALUE = "true";
    private static final Logger LOG = Logger.getLogger(LeaderLabel.class);

    private final KubernetesClient client;
    private final String namespace;
    private final String pod;

    /** @param pod the one this process runs in; out of a cluster there is none of that name, and nothing is labelled */
    public LeaderLabel(KubernetesClient client, String namespace, String pod) {
        this.client = requireNonNull(client, "client");
        this.namespace = requireNonNull(namespace, "namespace");
        this.pod = requireNonNull(pod, "pod");
    }

    /** Takes the label from every other pod and puts it on this one. */
    public void take() {
        for (Pod other : client.pods()
                .inNamespace(namespace)
                .withLabel(KEY, VALUE)
                .list()
                .getItems()) {
            if (!other.getMetadata().getName().equals(pod)) {
                patch(other.getMetadata().getName(), "null");
            }
        }
        patch(pod, "\"" + VALUE + "\"");
    }

    /** Takes the label off this pod. */
    public void giveBack() {
        patch(pod, "null");
    }

    private void patch(String name, String value) {
        try {
            client.pods()
                    .inNamespace(namespace)
                    .withName(name)
                    .patch(
                            PatchContext.of(PatchType.JSON_MERGE),
                            "{\"metadata\":{\"labels\":{\"%s\":%s}}}".formatted(KEY, value));
        } catch (KubernetesClientException e) {
            if (e.getCode() != 404) {
                throw e;
            }
            LOG.debugf("no pod to label pod=%s", name);
        }
    }
}
