package dev.tulle.controller.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.tulle.controller.inject.InjectSettings;
import dev.tulle.controller.inject.NamespaceView;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.resources.ServiceResource;
import dev.tulle.controller.webhook.Hooks.Hook;
import dev.tulle.controller.webhook.Hooks.Outcome;
import dev.tulle.controller.webhook.Hooks.Reply;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HooksTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final YAMLMapper YAML = new YAMLMapper();
    private static final NamespaceView ASKING =
            NamespaceView.of("shop", Map.of("tulle.dev/inject", "enabled"), Map.of());
    private static final NamespaceView SILENT = NamespaceView.of("shop", Map.of(), Map.of());
    private static final String POD = """
            apiVersion: v1
            kind: Pod
            metadata:
              name: web
              namespace: shop
              ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: web, uid: u1, controller: true}]
            spec:
              containers: [{name: web, image: "web:1"}]
            """;

    private final List<String> leftOut = new ArrayList<>();
    private NamespaceView known = ASKING;
    private NamespaceView now = ASKING;
    private boolean lookUpFails;
    private Optional<Resources> watched = Optional.empty();
    private final Hooks hooks = new Hooks(
            () -> InjectSettings.of("tulle-proxy:1", "1"),
            new Namespaces() {
                @Override
                public NamespaceView known(String name) {
                    return known;
                }

                @Override
                public NamespaceView now(String name) {
                    if (lookUpFails) {
                        throw new IllegalStateException("Namespace shop cannot be read: gone");
                    }
                    return now;
                }
            },
            (namespace, pod, sentence) -> leftOut.add(sentence),
            () -> watched);

    @Test
    void givesAPodItsProxy() throws IOException {
        JsonNode response = answered(Hook.INJECT, review("CREATE", POD, null), Outcome.CHANGED);

        assertThat(response.path("uid").asText()).isEqualTo("u-1");
        assertThat(response.path("allowed").asBoolean()).isTrue();
        assertThat(response.path("patchType").asText()).isEqualTo("JSONPatch");
        JsonNode patch =
                JSON.readTree(Base64.getDecoder().decode(response.path("patch").asText()));
        assertThat(patch)
                .anySatisfy(step -> assertThat(
                                step.path("value").path(1).path("name").asText())
                        .isEqualTo("tulle-proxy"));
        assertThat(patch)
                .allSatisfy(step -> assertThat(step.path("op").asText()).isEqualTo("add"));
    }

    @Test
    void refusesAPodWithABrokenAnnotationByNameValueAndCure() throws IOException {
        String pod = POD.replace(
                "  name: web\n  namespace",
                "  name: web\n  annotations: {config.tulle.dev/skip-inbound-ports: all}\n  namespace");

        JsonNode response = answered(Hook.INJECT, review("CREATE", pod, null), Outcome.DENIED);

        assertThat(response.path("allowed").asBoolean()).isFalse();
        assertThat(response.at("/status/message").asText())
                .contains("config.tulle.dev/skip-inbound-ports", "Pod shop/web", "'all'", "write numbers");
        assertThat(response.has("patch")).isFalse();
    }

    @Test
    void looksAgainWhenTheNamespaceSeemsNotToAsk() throws IOException {
        known = SILENT;

        assertThat(answered(Hook.INJECT, review("CREATE", POD, null), Outcome.CHANGED)
                        .has("patch"))
                .isTrue();
    }

    @Test
    void leavesAPodAloneWhereNobodyAsks() throws IOException {
        known = SILENT;
        now = SILENT;

        JsonNode response = answered(Hook.INJECT, review("CREATE", POD, null), Outcome.ALLOWED);

        assertThat(response.has("patch")).isFalse();
        assertThat(response.has("warnings")).isFalse();
    }

    @Test
    void failsRatherThanLeaveAPodOutWhenTheNamespaceCannotBeRead() {
        known = SILENT;
        lookUpFails = true;

        Reply reply = hooks.reply(Hook.INJECT, bytes(review("CREATE", POD, null)));

        assertThat(reply.status()).isEqualTo(503);
        assertThat(reply.body()).contains("Namespace shop cannot be read");
    }

    @Test
    void tellsOfAPodOfTheHostNetworkOnItsOwnerAndToItsAuthor() throws IOException {
        String pod = POD.replace("spec:", "spec:\n  hostNetwork: true");

        JsonNode response = answered(Hook.INJECT, review("CREATE", pod, null), Outcome.ALLOWED);

        assertThat(response.at("/warnings/0").asText()).contains("hostNetwork", "tulle.dev/inject: disabled");
        assertThat(leftOut).containsExactly(response.at("/warnings/0").asText());
    }

    @Test
    void writesNothingInADryRun() throws IOException {
        ObjectNode review = review("CREATE", POD.replace("spec:", "spec:\n  hostNetwork: true"), null);
        review.withObjectProperty("request").put("dryRun", true);

        answered(Hook.INJECT, review, Outcome.ALLOWED);

        assertThat(leftOut).isEmpty();
    }

    @Test
    void touchesNoPodThatIsThereAlready() throws IOException {
        assertThat(answered(Hook.INJECT, review("UPDATE", POD, POD), Outcome.ALLOWED)
                        .has("patch"))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "no json", "[]", "{}", "{\"kind\":\"AdmissionReview\"}", "\"text\"", "null"})
    void refusesWhatIsNoReview(String body) {
        for (Hook hook : Hook.values()) {
            Reply reply = hooks.reply(hook, body.getBytes(StandardCharsets.UTF_8));
            assertThat(reply.status()).isEqualTo(400);
            assertThat(reply.outcome()).isEqualTo(Outcome.MALFORMED);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{v: v1alpha1, canary: \"'0'\", primary: \"'100'\"}",
                "{v: v1alpha1, canary: \"'50'\", primary: \"'50'\"}",
                "{v: v1alpha2, canary: '0', primary: '100'}",
                "{v: v1alpha2, canary: '100', primary: '0'}",
                "{v: v1alpha3, canary: '10', primary: '90'}",
                "{v: v1alpha3, canary: '0', primary: '0'}"
            })
    void letsInWhateverFlaggerWrites(String given) throws IOException {
        JsonNode values = YAML.readTree(given);
        String split = """
                apiVersion: split.smi-spec.io/%s
                kind: TrafficSplit
                metadata:
                  name: podinfo
                  namespace: test
                  ownerReferences: [{apiVersion: flagger.app/v1beta1, kind: Canary, name: podinfo, uid: c, controller: true, blockOwnerDeletion: true}]
                spec:
                  service: podinfo
                  backends:
                  - {service: podinfo-canary, weight: %s}
                  - {service: podinfo-primary, weight: %s}
                """.formatted(
                        values.path("v").asText(),
                        values.path("canary").asText(),
                        values.path("primary").asText());

        JsonNode response = answered(Hook.VALIDATE, review("CREATE", split, null), Outcome.ALLOWED);

        assertThat(response.path("allowed").asBoolean()).isTrue();
    }

    @Test
    void warnsOfASplitThatNobodyTakes() throws IOException {
        String split = split("v1alpha4", "0");

        assertThat(answered(Hook.VALIDATE, review("CREATE", split, null), Outcome.ALLOWED)
                        .at("/warnings/0")
                        .asText())
                .contains("TrafficSplit shop/reviews", "spec.backends", "give one a weight");
    }

    @Test
    void refusesWhatCannotMeanAnythingWithFieldAndCure() throws IOException {
        String split = split("v1alpha4", "10").replace("service: reviews\n", "service: reviews.elsewhere\n");

        assertThat(answered(Hook.VALIDATE, review("CREATE", split, null), Outcome.DENIED)
                        .at("/status/message")
                        .asText())
                .contains("TrafficSplit shop/reviews", "spec.service", "write the name of a Service of namespace shop");
    }

    @Test
    void refusesATargetInAnotherNamespaceThanItsDestination() throws IOException {
        String target = """
                apiVersion: access.smi-spec.io/v1alpha3
                kind: TrafficTarget
                metadata: {name: t, namespace: shop}
                spec:
                  destination: {kind: ServiceAccount, name: bank, namespace: bank}
                  sources: [{kind: ServiceAccount, name: thief}]
                  rules: [{kind: TCPRoute, name: all}]
                """;

        assertThat(answered(Hook.VALIDATE, review("CREATE", target, null), Outcome.DENIED)
                        .at("/status/message")
                        .asText())
                .contains("destination.namespace", "'bank'", "create it in namespace bank");
    }

    @Test
    void warnsOfWhatLintFindsAmongEverythingElseAndDeniesNothingForIt() throws IOException {
        watched = Optional.of(Resources.builder()
                .add(new ServiceResource("shop", "review", new TreeMap<>(), List.of("10.0.0.1"), List.of()))
                .build());

        JsonNode response = answered(Hook.VALIDATE, review("CREATE", split("v1alpha4", "10"), null), Outcome.ALLOWED);

        assertThat(response.path("allowed").asBoolean()).isTrue();
        assertThat(response.at("/warnings").toString())
                .contains(
                        "TrafficSplit shop/reviews, spec.service: there is no Service shop/reviews",
                        "is review meant?");
    }

    @Test
    void saysNothingOfASplitWhoseServicesAreThere() throws IOException {
        Resources.Builder resources = Resources.builder();
        for (String name : List.of("reviews", "reviews-v1")) {
            resources.add(
                    new ServiceResource("shop", name, new TreeMap<>(), List.of("10.0.0." + name.length()), List.of()));
        }
        watched = Optional.of(resources.build());

        assertThat(answered(Hook.VALIDATE, review("CREATE", split("v1alpha4", "0"), null), Outcome.ALLOWED)
                        .at("/warnings"))
                .hasSize(1);
    }

    @Test
    void saysNothingOfPodsThatAreNotThereYet() throws IOException {
        Resources.Builder resources = Resources.builder();
        for (String name : List.of("reviews", "reviews-v1")) {
            resources.add(
                    new ServiceResource("shop", name, new TreeMap<>(), List.of("10.0.0." + name.length()), List.of()));
        }
        watched = Optional.of(resources.build());
        String target = """
                apiVersion: access.smi-spec.io/v1alpha3
                kind: TrafficTarget
                metadata: {name: t, namespace: shop}
                spec:
                  destination: {kind: ServiceAccount, name: reviews}
                  sources: [{kind: ServiceAccount, name: web}]
                  rules: [{kind: TCPRoute, name: all}]
                """;

        assertThat(answered(Hook.VALIDATE, review("CREATE", split("v1alpha4", "10"), null), Outcome.ALLOWED)
                        .at("/warnings"))
                .isEmpty();
        assertThat(answered(Hook.VALIDATE, review("CREATE", target, null), Outcome.ALLOWED)
                        .at("/warnings"))
                .hasSize(1)
                .first()
                .satisfies(warning -> assertThat(warning.asText()).contains("there is no TCPRoute shop/all"));
    }

    @Test
    void warnsOfAPathThatMatchesMoreThanItLooks() throws IOException {
        watched = Optional.of(Resources.builder().build());
        String group = """
                apiVersion: specs.smi-spec.io/v1alpha4
                kind: HTTPRouteGroup
                metadata: {name: routes, namespace: shop}
                spec: {matches: [{name: metrics, pathRegex: /metrics}]}
                """;

        assertThat(answered(Hook.VALIDATE, review("CREATE", group, null), Outcome.ALLOWED)
                        .at("/warnings/0")
                        .asText())
                .contains(
                        "HTTPRouteGroup shop/routes, spec.matches[0].pathRegex", "'/metricsfoo'", "write '/metrics$'");
    }

    @Test
    void letsAnObjectThatWasWrongBeforeBeLabelledAndDeleted() throws IOException {
        String before = split("v1alpha4", "10").replace("service: reviews\n", "service: reviews.elsewhere\n");
        String after = before.replace("name: reviews\n", "name: reviews\n  labels: {a: b}\n");

        JsonNode labelled = answered(Hook.VALIDATE, review("UPDATE", after, before), Outcome.ALLOWED);
        ObjectNode delete = review("DELETE", before, before);
        delete.withObjectProperty("request").putNull("object");

        assertThat(labelled.at("/warnings/0").asText()).contains("spec.service");
        answered(Hook.VALIDATE, delete, Outcome.ALLOWED);
        answered(
                Hook.VALIDATE,
                review("UPDATE", split("v1alpha4", "10") + "nonsense: 1\n", split("v1alpha4", "10")),
                Outcome.DENIED);
    }

    @Test
    void refusesBrokenWordsOnNamespacesAndServices() throws IOException {
        assertThat(message("""
                apiVersion: v1
                kind: Namespace
                metadata: {name: shop, labels: {tulle.dev/inject: "true"}, annotations: {tulle.dev/access: clsoed}}
                """))
                .contains("label tulle.dev/inject of Namespace shop is 'true': write enabled or disabled")
                .contains("annotation tulle.dev/access of Namespace shop: 'clsoed' is not one of");
        assertThat(message("""
                apiVersion: v1
                kind: Service
                metadata: {name: web, namespace: shop, annotations: {tulle.dev/timeout: 2 s, config.tulle.dev/opaque-ports: sql}}
                """))
                .contains("annotation tulle.dev/timeout of Service shop/web: '2 s' is not a time")
                .contains("config.tulle.dev/opaque-ports of Service shop/web is 'sql'");
    }

    @Test
    void warnsOfANamespaceWhosePodSecurityForbidsTheRedirect() throws IOException {
        JsonNode response = answered(Hook.VALIDATE, review("UPDATE", """
                        apiVersion: v1
                        kind: Namespace
                        metadata: {name: shop, labels: {tulle.dev/inject: enabled, pod-security.kubernetes.io/enforce: baseline}}
                        """, null), Outcome.ALLOWED);

        assertThat(response.at("/warnings/0").asText())
                .contains("PodSecurity 'baseline'", "NET_ADMIN", "pod-security.kubernetes.io/enforce=privileged");
    }

    @Test
    void refusesADeploymentWhosePodsWouldBeRefused() throws IOException {
        assertThat(message("""
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: web, namespace: shop}
                spec:
                  template:
                    metadata: {annotations: {config.tulle.dev/proxy-memory-limit: much}}
                    spec: {containers: [{name: web}]}
                """))
                .contains("annotation config.tulle.dev/proxy-memory-limit of Deployment shop/web is 'much'")
                .contains("such as 128Mi");
    }

    @Test
    void convertsListsOfEveryVersionAndBack() throws IOException {
        String first = split("v1alpha1", "'500m'");
        ObjectNode there = conversion("split.smi-spec.io/v1alpha2", first, split("v1alpha4", "7"));

        JsonNode answer =
                JSON.readTree(reply(Hook.CONVERT, there, Outcome.CONVERTED).body());

        assertThat(answer.at("/response/uid").asText()).isEqualTo("c-1");
        assertThat(answer.at("/response/result/status").asText()).isEqualTo("Success");
        assertThat(answer.at("/response/convertedObjects/0/apiVersion").asText())
                .isEqualTo("split.smi-spec.io/v1alpha2");
        assertThat(answer.at("/response/convertedObjects/0/spec/backends/0/weight")
                        .asInt())
                .isEqualTo(500);
        ObjectNode back = conversion("split.smi-spec.io/v1alpha1");
        back.withObjectProperty("request").withArray("objects").add(answer.at("/response/convertedObjects/0"));
        assertThat(JSON.readTree(reply(Hook.CONVERT, back, Outcome.CONVERTED).body())
                        .at("/response/convertedObjects/0"))
                .isEqualTo(YAML.readTree(first));
    }

    @Test
    void saysWhichObjectIsNoneOfSmi() throws IOException {
        ObjectNode review = conversion("split.smi-spec.io/v1alpha9", split("v1alpha4", "7"));

        JsonNode answer =
                JSON.readTree(reply(Hook.CONVERT, review, Outcome.FAILED).body());

        assertThat(answer.at("/response/result/status").asText()).isEqualTo("Failure");
        assertThat(answer.at("/response/result/message").asText())
                .contains("TrafficSplit shop/reviews", "split.smi-spec.io/v1alpha9");
    }

    private String message(String object) throws IOException {
        return answered(Hook.VALIDATE, review("CREATE", object, null), Outcome.DENIED)
                .at("/status/message")
                .asText();
    }

    private JsonNode answered(Hook hook, ObjectNode review, Outcome outcome) throws IOException {
        JsonNode answer = JSON.readTree(reply(hook, review, outcome).body());
        assertThat(answer.path("apiVersion").asText()).isEqualTo("admission.k8s.io/v1");
        assertThat(answer.path("kind").asText()).isEqualTo("AdmissionReview");
        return answer.path("response");
    }

    private Reply reply(Hook hook, ObjectNode review, Outcome outcome) {
        Reply reply = hooks.reply(hook, bytes(review));
        assertThat(reply.outcome()).as(reply.body()).isEqualTo(outcome);
        assertThat(reply.status()).isEqualTo(200);
        return reply;
    }

    private static byte[] bytes(ObjectNode review) {
        return review.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static String split(String version, String weight) {
        return """
                apiVersion: split.smi-spec.io/%s
                kind: TrafficSplit
                metadata:
                  name: reviews
                  namespace: shop
                spec:
                  service: reviews
                  backends:
                  - {service: reviews-v1, weight: %s}
                """.formatted(version, weight);
    }

    /** A review as an API server asks it; the object in YAML. */
    static ObjectNode review(String operation, String object, @Nullable String old) {
        try {
            JsonNode tree = YAML.readTree(object);
            ObjectNode review = JSON.createObjectNode()
                    .put("apiVersion", "admission.k8s.io/v1")
                    .put("kind", "AdmissionReview");
            ObjectNode request = review.putObject("request")
                    .put("uid", "u-1")
                    .put("operation", operation)
                    .put("name", tree.at("/metadata/name").asText())
                    .put("namespace", tree.at("/metadata/namespace").asText());
            request.set("object", tree);
            if (old != null) {
                request.set("oldObject", YAML.readTree(old));
            }
            return review;
        } catch (IOException e) {
            throw new IllegalArgumentException(object, e);
        }
    }

    private static ObjectNode conversion(String desired, String... objects) throws IOException {
        ObjectNode review = JSON.createObjectNode()
                .put("apiVersion", "apiextensions.k8s.io/v1")
                .put("kind", "ConversionReview");
        ObjectNode request = review.putObject("request").put("uid", "c-1").put("desiredAPIVersion", desired);
        for (String object : objects) {
            request.withArray("objects").add(YAML.readTree(object));
        }
        return review;
    }
}
