package dev.tulle.conformance.kubernetes.install;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.conformance.kubernetes.LoadPod;
import dev.tulle.conformance.kubernetes.Place;
import dev.tulle.conformance.kubernetes.ShownCertificates;
import dev.tulle.conformance.kubernetes.Tulle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/** Keys and certificates are made once, kept, exchanged by overlap, and nobody who calls notices. */
@Tag("cluster")
@Isolated("it changes what all others use")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class SecretsTest {
    private static final Duration SOON = Duration.ofMinutes(2);
    private static final DateTimeFormatter ASN1_TIME =
            DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'").withZone(ZoneOffset.UTC);

    private static Place place;
    private static Place system;

    @TempDir
    static Path folder;

    @BeforeAll
    static void start() {
        place = Place.create("secrets", Map.of());
        system = Tulle.system();
        place.apply("pair.yaml");
        place.awaitRollout("deployment/web");
        place.awaitReady("pod/client");
    }

    @AfterAll
    static void end() {
        place.close();
    }

    @Test
    @Order(1)
    void theAuthorityIsKeptOverRestartsOfBothControllers() {
        // Given
        String before = authority();
        String trusted = trust();
        assertThat(before).isNotEmpty();
        LoadPod load = LoadPod.start(place, "load", "--rate=50", "http://web/");
        // When
        system.kubectl("delete", "pods", "-l", "app.kubernetes.io/name=" + Tulle.CONTROLLER)
                .succeeded();
        Tulle.awaitWorking();
        // Then
        assertThat(trust()).isEqualTo(trusted);
        assertThat(authority()).isEqualTo(before);
        load.endWithoutLoss(100);
    }

    @Test
    @Order(2)
    void leavesAreRenewedUnderLoad() {
        // Given
        X509Certificate first = shown().getFirst();
        LoadPod load = LoadPod.start(place, "load-leaf", "--rate=50", "http://web/");
        // When: two lives of a certificate
        String arguments = system.value("deployment/" + Tulle.CONTROLLER, ".spec.template.spec.containers[0].args");
        setArguments(arguments.replaceFirst("]$", ", \"--leaf-ttl=1m\"]"));
        Tulle.awaitWorking();
        restart();
        try {
            X509Certificate second = awaitOther(first);
            X509Certificate third = awaitOther(second);
            // Then
            assertThat(Duration.between(
                            third.getNotBefore().toInstant(),
                            third.getNotAfter().toInstant()))
                    .isLessThan(Duration.ofMinutes(15));
            load.endWithoutLoss(1000);
        } finally {
            setArguments(arguments);
            Tulle.awaitWorking();
        }
    }

    @Test
    @Order(3)
    void aNewRootIsSpreadFirstAndThenSigns() {
        // Given
        String before = trust();
        X509Certificate leaf = shown().getFirst();
        LoadPod load = LoadPod.start(place, "load-root", "--rate=50", "http://web/");
        // When
        settings("root-generation: \"2\"");
        // Then
        Awaitility.await("another root is trusted")
                .atMost(SOON)
                .untilAsserted(() -> assertThat(trust()).isNotEqualTo(before));
        awaitOther(leaf);
        load.goOn(Duration.ofSeconds(5)).endWithoutLoss(200);
    }

    @Test
    @Order(4)
    void anIssuerOfCertManagersFormSignsAndIsExchanged() throws Exception {
        // Given
        LoadPod load = LoadPod.start(place, "load-issuer", "--rate=50", "http://web/");
        for (String issuer : List.of("issuer-1", "issuer-2")) {
            // When
            giveIssuer(issuer);
            // Then
            Awaitility.await(issuer + " signs")
                    .atMost(SOON)
                    .untilAsserted(() -> assertThat(
                                    shown().getFirst().getIssuerX500Principal().getName())
                            .contains(issuer));
        }
        load.goOn(Duration.ofSeconds(3)).endWithoutLoss(200);
    }

    @Test
    @Order(5)
    void anIssuerThatIsNoneChangesNothingAndIsToldOf() throws Exception {
        // Given
        String signs = shown().getFirst().getIssuerX500Principal().getName();
        // When
        system.applyText("""
                apiVersion: v1
                kind: Secret
                type: kubernetes.io/tls
                metadata: {name: tulle-issuer}
                data: {tls.crt: "bm9uZQ==", tls.key: "bm9uZQ==", ca.crt: "bm9uZQ=="}
                """);
        // Then
        Awaitility.await("an Event says so")
                .atMost(SOON)
                .untilAsserted(() -> assertThat(system.kubectl("get", "events", "-o", "json")
                                .succeeded()
                                .out())
                        .contains("tulle-issuer", "tls.crt"));
        assertThat(shown().getFirst().getIssuerX500Principal().getName()).isEqualTo(signs);
        assertThat(place.app("client", "get", "http://web/").succeeded().out()).contains("200 OK");
        giveIssuer("issuer-3");
    }

    @Test
    @Order(6)
    void theWebhooksCertificateIsWrittenAgainWhenItIsDeleted() {
        // Given
        String before = webhookCertificate();
        assertThat(before).isNotEmpty();
        // When
        system.kubectl("delete", "secret", "tulle-webhook").succeeded();
        // Then: the same one, so that nobody has to learn of another
        assertThat(Tulle.meshedPod().succeeded().out()).contains("tulle-proxy");
        Awaitility.await("the Secret is back")
                .atMost(SOON)
                .untilAsserted(() -> assertThat(webhookCertificate()).isEqualTo(before));
        assertThat(Tulle.meshedPod().succeeded().out()).contains("tulle-proxy");
    }

    @Test
    @Order(7)
    void theWebhooksCertificateIsRenewedByItselfAndNoCallToItFails() throws Exception {
        // Given: one that has lived nearly as long as it may
        giveAgedWebhookCertificate();
        String aged = base64("hook.crt");
        Awaitility.await("the API server believes it").atMost(SOON).untilAsserted(() -> {
            assertThat(caBundle()).contains(base64("hook-ca.crt").substring(0, 200));
            assertThat(Tulle.meshedPod().succeeded().out()).contains("tulle-proxy");
        });
        // When: nobody does anything; Then
        int asked = 0;
        long end = System.nanoTime() + Duration.ofMinutes(4).toNanos();
        int since = 0;
        while (since < 10) {
            assertThat(System.nanoTime())
                    .as("another certificate within 4 minutes")
                    .isLessThan(end);
            assertThat(Tulle.meshedPod().succeeded().out())
                    .as("call %d, %d of them since the renewal", asked, since)
                    .contains("tulle-proxy");
            asked++;
            since += webhookCertificate().equals(aged) ? 0 : 1;
            Awaitility.await("the next call").pollDelay(Duration.ofMillis(500)).until(() -> true);
        }
        System.out.printf("webhook's certificate renewed by itself: none of %d calls failed%n", asked);
    }

    private static String webhookCertificate() {
        return system.value("secret/tulle-webhook", ".data.tls\\.crt");
    }

    private static String caBundle() {
        return Place.run(
                        List.of(
                                "kubectl",
                                "get",
                                "mutatingwebhookconfigurations",
                                "-o",
                                "jsonpath={.items[*].webhooks[*].clientConfig.caBundle}"),
                        "")
                .succeeded()
                .out();
    }

    /** In the form the controller keeps it, made 80 days ago for 90 days. */
    private static void giveAgedWebhookCertificate() throws IOException {
        openssl("ecparam -name prime256v1 -genkey -noout -out hook-ca.key");
        openssl("req -x509 -new -key hook-ca.key -subj /CN=aged -days 30 -out hook-ca.crt"
                + " -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign");
        Files.writeString(folder.resolve("ca.cnf"), """
                [ca]
                default_ca=it
                [it]
                database=index
                new_certs_dir=.
                rand_serial=yes
                default_md=sha256
                copy_extensions=copy
                policy=any
                [any]
                commonName=supplied
                """);
        Files.writeString(folder.resolve("index"), "");
        openssl("ecparam -name prime256v1 -genkey -noout -out hook.ec");
        openssl("pkcs8 -topk8 -nocrypt -in hook.ec -out hook.key");
        openssl("req -new -key hook.key -subj /CN=tulle-webhook -out hook.csr"
                + " -addext subjectAltName=DNS:tulle-webhook.tulle-system.svc -addext extendedKeyUsage=serverAuth");
        Instant now = Instant.now();
        openssl("ca -config ca.cnf -batch -notext -cert hook-ca.crt -keyfile hook-ca.key -in hook.csr -out hook.crt"
                + " -startdate %s -enddate %s"
                        .formatted(
                                ASN1_TIME.format(now.minus(Duration.ofDays(80))),
                                ASN1_TIME.format(now.plus(Duration.ofDays(10)))));
        system.applyText("""
                apiVersion: v1
                kind: Secret
                type: kubernetes.io/tls
                metadata: {name: tulle-webhook, annotations: {tulle.dev/since: "%s"}}
                data: {tls.crt: "%s", tls.key: "%s", ca.crt: "%4$s", serving-ca.crt: "%4$s"}
                """.formatted(
                now.truncatedTo(ChronoUnit.MILLIS), base64("hook.crt"), base64("hook.key"), base64("hook-ca.crt")));
    }

    /** The root and issuer, without what the controller counts beside them. */
    private static String authority() {
        return system.value("secret/tulle-authority", ".data.authority");
    }

    private static String trust() {
        return place.value("configmap/tulle-trust", ".data.trust\\.json");
    }

    private static List<X509Certificate> shown() {
        String pod = place.podsOf("app=web").getFirst();
        return ShownCertificates.at(place.value("pod/" + pod, ".status.podIP"), 8080);
    }

    private static X509Certificate awaitOther(X509Certificate known) {
        Awaitility.await("another certificate is shown")
                .atMost(SOON)
                .ignoreExceptions()
                .untilAsserted(
                        () -> assertThat(shown().getFirst().getSerialNumber()).isNotEqualTo(known.getSerialNumber()));
        return shown().getFirst();
    }

    private static void restart() {
        place.kubectl("rollout", "restart", "deployment/web").succeeded();
        place.awaitRollout("deployment/web");
    }

    private static void setArguments(String arguments) {
        system.kubectl(
                        "patch",
                        "deployment/" + Tulle.CONTROLLER,
                        "--type=json",
                        "-p",
                        "[{\"op\": \"replace\", \"path\": \"/spec/template/spec/containers/0/args\", \"value\": %s}]"
                                .formatted(arguments))
                .succeeded();
    }

    private static void settings(String data) {
        system.applyText("""
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: tulle-settings}
                data: {%s}
                """.formatted(data));
    }

    /** A Secret as cert-manager writes it for a Certificate with isCA: an issuer of the root "given". */
    private static void giveIssuer(String name) throws IOException {
        if (!Files.exists(folder.resolve("root.crt"))) {
            openssl("ecparam -name prime256v1 -genkey -noout -out root.key");
            openssl("req -x509 -new -key root.key -subj /CN=given -days 30 -out root.crt"
                    + " -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign");
        }
        Files.writeString(folder.resolve("extensions"), """
                basicConstraints=critical,CA:TRUE
                keyUsage=critical,digitalSignature,keyCertSign,cRLSign
                subjectKeyIdentifier=hash
                authorityKeyIdentifier=keyid
                """);
        openssl("ecparam -name prime256v1 -genkey -noout -out issuer.ec");
        openssl("pkcs8 -topk8 -nocrypt -in issuer.ec -out issuer.key");
        openssl("req -new -key issuer.key -subj /CN=%s -out issuer.csr".formatted(name));
        openssl(
                "x509 -req -in issuer.csr -CA root.crt -CAkey root.key -CAcreateserial -days 10 -extfile extensions -out issuer.crt");
        system.applyText("""
                apiVersion: v1
                kind: Secret
                type: kubernetes.io/tls
                metadata: {name: tulle-issuer}
                data: {tls.crt: "%s", tls.key: "%s", ca.crt: "%s"}
                """.formatted(base64("issuer.crt"), base64("issuer.key"), base64("root.crt")));
    }

    private static void openssl(String arguments) {
        Place.run(List.of("sh", "-ec", "cd '%s' && openssl %s".formatted(folder, arguments)), "")
                .succeeded();
    }

    private static String base64(String file) throws IOException {
        return Base64.getEncoder()
                .encodeToString(Files.readString(folder.resolve(file)).getBytes(UTF_8));
    }
}
