package dev.tulle.controller.trust;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import io.fabric8.mockwebserver.dsl.HttpMethod;
import io.fabric8.mockwebserver.http.Buffer;
import io.fabric8.mockwebserver.http.MockResponse;
import io.fabric8.mockwebserver.http.RecordedRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Optional;

/**
 * An API server to test against: fabric8's in memory, or a real one where {@code TULLE_TEST_KUBECONFIG} names its kubeconfig.
 *
 * <p>On a real one no controller may run, and what the tests touch is deleted before each of them.
 */
final class ApiServer implements AutoCloseable {
    private final Optional<KubernetesMockServer> mock;
    private final KubernetesClient client;

    private ApiServer(Optional<KubernetesMockServer> mock, KubernetesClient client) {
        this.mock = mock;
        this.client = client;
    }

    static boolean isReal() {
        return System.getenv("TULLE_TEST_KUBECONFIG") != null;
    }

    static ApiServer empty() {
        if (isReal()) {
            ApiServer real = new ApiServer(Optional.empty(), real());
            real.clean();
            return real;
        }
        KubernetesMockServer server = new KubernetesMockServer(
                new Context(), new MockWebServer(), new HashMap<>(), new ApplyingDispatcher(), false);
        server.init();
        ApiServer made = new ApiServer(Optional.of(server), server.createClient());
        made.namespace(Owned.NAMESPACE);
        return made;
    }

    KubernetesClient client() {
        return client;
    }

    /** One more client, as another controller has. */
    KubernetesClient another() {
        return mock.<KubernetesClient>map(KubernetesMockServer::createClient).orElseGet(ApiServer::real);
    }

    void namespace(String name, String... labels) {
        var metadata = new NamespaceBuilder().withNewMetadata().withName(name);
        for (String label : labels) {
            metadata.addToLabels(label, "enabled");
        }
        client.resource(metadata.endMetadata().build()).createOr(there -> there.patch());
    }

    private void clean() {
        for (String name : new String[] {Owned.AUTHORITY, Owned.ISSUER, Owned.WEBHOOK}) {
            client.secrets().inNamespace(Owned.NAMESPACE).withName(name).delete();
        }
        client.configMaps()
                .inAnyNamespace()
                .withField("metadata.name", Owned.TRUST)
                .list()
                .getItems()
                .forEach(one -> client.resource(one).delete());
        client.v1().events().inNamespace(Owned.NAMESPACE).delete();
    }

    private static KubernetesClient real() {
        try {
            Config config = Config.fromKubeconfig(Files.readString(Path.of(System.getenv("TULLE_TEST_KUBECONFIG"))));
            return new KubernetesClientBuilder()
                    .withConfig(
                            new ConfigBuilder(config).withRequestTimeout(10_000).build())
                    .build();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        client.close();
        mock.ifPresent(KubernetesMockServer::destroy);
    }

    /** fabric8's in memory, which cannot apply: what is applied here takes the place of the whole object, or makes it. */
    private static final class ApplyingDispatcher extends KubernetesCrudDispatcher {
        @Override
        public MockResponse handlePatch(RecordedRequest request) {
            if (!request.getPath().contains("fieldManager=")) {
                return super.handlePatch(request);
            }
            byte[] body = request.getBody().getBytes();
            String path = request.getPath().replaceFirst("[?].*", "");
            MockResponse answer = handleUpdate(as(HttpMethod.PUT, path, body, request));
            return answer.code() == Owned.NOT_FOUND
                    ? handleCreate(as(HttpMethod.POST, path.replaceFirst("/[^/]*$", ""), body, request))
                    : answer;
        }

        private static RecordedRequest as(HttpMethod method, String path, byte[] body, RecordedRequest request) {
            return new RecordedRequest(request.getHttpVersion(), method, path, request.getHeaders(), new Buffer(body));
        }
    }
}
