package dev.tulle.controller.trust;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tulle.controller.api.Controller.OwnProblem;
import io.fabric8.kubernetes.api.model.APIService;
import io.fabric8.kubernetes.api.model.APIServiceBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhook;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfigurationBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ServiceReference;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhook;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfigurationBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.WebhookClientConfig;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.WebhookClientConfigBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.WebhookConversion;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Writes what the API server has to believe into everything by which it calls us: both webhook configurations, the CRDs, and the APIService of
 * the TrafficMetrics API.
 *
 * <p>By server-side apply as the field manager {@value #MANAGER}, which owns nothing but {@code caBundle}: the manifest holds none, and
 * applying it again takes none away. One that was removed all the same is written again. One thread.
 */
final class CaBundles {
    static final String MANAGER = "tulle-webhook-ca";

    /** Names of what the manifest installs. */
    private static final String CONFIGURATION = "tulle";

    private static final List<String> CRDS = List.of(
            "httproutegroups.specs.smi-spec.io",
            "tcproutes.specs.smi-spec.io",
            "trafficsplits.split.smi-spec.io",
            "traffictargets.access.smi-spec.io",
            "udproutes.specs.smi-spec.io");

    private static final String SERVICE = "tulle-webhook";
    private static final String API_SERVICE = "v1alpha1.metrics.smi-spec.io";
    private static final String METRICS_SERVICE = "tulle-traffic-metrics";
    private static final Logger LOG = Logger.getLogger(CaBundles.class);

    private final KubernetesClient client;
    private final Clock clock;
    private String written = "";
    private Optional<Instant> heldSince = Optional.empty();
    private volatile Optional<OwnProblem> problem = Optional.empty();

    CaBundles(KubernetesClient client, Clock clock) {
        this.client = client;
        this.clock = clock;
    }

    /** What could not be written. */
    Optional<OwnProblem> problem() {
        return problem;
    }

    /**
     * Looks at every one of them and writes those that hold something else.
     *
     * @param authorities PEM
     * @return since when all that are there hold exactly these; empty when one does not
     */
    Optional<Instant> write(List<String> authorities) {
        String bundle =
                Base64.getEncoder().encodeToString(String.join("", authorities).getBytes(UTF_8));
        List<HasMetadata> wrong = new ArrayList<>();
        mutating(bundle).ifPresent(wrong::add);
        validating(bundle).ifPresent(wrong::add);
        CRDS.forEach(name -> definition(name, bundle).ifPresent(wrong::add));
        aggregation(bundle).ifPresent(wrong::add);
        Optional<OwnProblem> failed = Optional.empty();
        for (HasMetadata one : wrong) {
            try {
                HasMetadata unused = client.resource(one).patch(Owned.apply(MANAGER));
                LOG.infof(
                        "caBundle written object=%s/%s",
                        one.getKind(), one.getMetadata().getName());
            } catch (KubernetesClientException e) {
                failed = Optional.of(new OwnProblem(
                        one.getKind() + " " + one.getMetadata().getName(),
                        "its caBundle could not be written: %s; look whether install/tulle.yaml is applied whole"
                                .formatted(Owned.reason(e)),
                        "the API server may not believe the webhooks; it is tried again"));
                LOG.warnf(
                        "caBundle not written object=%s/%s cause=%s",
                        one.getKind(), one.getMetadata().getName(), Owned.reason(e));
            }
        }
        problem = failed;
        if (failed.isPresent()) {
            heldSince = Optional.empty();
        } else if (!bundle.equals(written) || heldSince.isEmpty() || !wrong.isEmpty()) {
            heldSince = Optional.of(clock.instant());
        }
        written = bundle;
        return heldSince;
    }

    /** What is to be applied; empty when it is there already, or nobody calls us. */
    private Optional<HasMetadata> mutating(String bundle) {
        @Nullable MutatingWebhookConfiguration there = client.admissionRegistration()
                .v1()
                .mutatingWebhookConfigurations()
                .withName(CONFIGURATION)
                .get();
        List<String> calling = there == null
                ? List.of()
                : calling(there.getWebhooks(), MutatingWebhook::getName, MutatingWebhook::getClientConfig, bundle);
        return calling.isEmpty()
                ? Optional.empty()
                : Optional.of(new MutatingWebhookConfigurationBuilder()
                        .withNewMetadata()
                        .withName(CONFIGURATION)
                        .endMetadata()
                        .withWebhooks(calling.stream()
                                .map(name -> new MutatingWebhookBuilder()
                                        .withName(name)
                                        .withClientConfig(believing(bundle))
                                        .build())
                                .toList())
                        .build());
    }

    private Optional<HasMetadata> validating(String bundle) {
        @Nullable ValidatingWebhookConfiguration there = client.admissionRegistration()
                .v1()
                .validatingWebhookConfigurations()
                .withName(CONFIGURATION)
                .get();
        List<String> calling = there == null
                ? List.of()
                : calling(there.getWebhooks(), ValidatingWebhook::getName, ValidatingWebhook::getClientConfig, bundle);
        return calling.isEmpty()
                ? Optional.empty()
                : Optional.of(new ValidatingWebhookConfigurationBuilder()
                        .withNewMetadata()
                        .withName(CONFIGURATION)
                        .endMetadata()
                        .withWebhooks(calling.stream()
                                .map(name -> new ValidatingWebhookBuilder()
                                        .withName(name)
                                        .withClientConfig(believing(bundle))
                                        .build())
                                .toList())
                        .build());
    }

    /** Names of all webhooks of one configuration that call us, if one of them holds something else; applying leaves out none. */
    private static <H> List<String> calling(
            List<H> webhooks, Function<H, String> name, Function<H, WebhookClientConfig> config, String bundle) {
        List<H> ours = webhooks.stream()
                .filter(hook -> {
                    @Nullable ServiceReference service = config.apply(hook).getService();
                    return service != null && isOurs(service.getNamespace(), service.getName());
                })
                .toList();
        return ours.stream().allMatch(hook -> bundle.equals(config.apply(hook).getCaBundle()))
                ? List.of()
                : ours.stream().map(name).toList();
    }

    private static WebhookClientConfig believing(String bundle) {
        return new WebhookClientConfigBuilder().withCaBundle(bundle).build();
    }

    private Optional<HasMetadata> definition(String name, String bundle) {
        @Nullable CustomResourceDefinition there = client.apiextensions()
                .v1()
                .customResourceDefinitions()
                .withName(name)
                .get();
        @Nullable WebhookConversion conversion = there == null || there.getSpec().getConversion() == null
                ? null
                : there.getSpec().getConversion().getWebhook();
        if (conversion == null
                || conversion.getClientConfig() == null
                || conversion.getClientConfig().getService() == null
                || !isOurs(
                        conversion.getClientConfig().getService().getNamespace(),
                        conversion.getClientConfig().getService().getName())
                || bundle.equals(conversion.getClientConfig().getCaBundle())) {
            return Optional.empty();
        }
        return Optional.of(new CustomResourceDefinitionBuilder()
                .withNewMetadata()
                .withName(name)
                .endMetadata()
                .withNewSpec()
                .withNewConversion()
                .withNewWebhook()
                .withNewClientConfig()
                .withCaBundle(bundle)
                .endClientConfig()
                .endWebhook()
                .endConversion()
                .endSpec()
                .build());
    }

    /** The TrafficMetrics API, where it is installed. */
    private Optional<HasMetadata> aggregation(String bundle) {
        @Nullable APIService there = client.apiServices().withName(API_SERVICE).get();
        if (there == null
                || there.getSpec().getService() == null
                || !Owned.NAMESPACE.equals(there.getSpec().getService().getNamespace())
                || !METRICS_SERVICE.equals(there.getSpec().getService().getName())
                || bundle.equals(there.getSpec().getCaBundle())) {
            return Optional.empty();
        }
        return Optional.of(new APIServiceBuilder()
                .withNewMetadata()
                .withName(API_SERVICE)
                .endMetadata()
                .withNewSpec()
                .withCaBundle(bundle)
                .endSpec()
                .build());
    }

    private static boolean isOurs(@Nullable String namespace, @Nullable String name) {
        return Objects.equals(namespace, Owned.NAMESPACE) && Objects.equals(name, SERVICE);
    }
}
