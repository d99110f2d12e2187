package dev.tulle.conformance.kubernetes.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tulle.conformance.kubernetes.LoadPod;
import dev.tulle.conformance.kubernetes.Place;
import dev.tulle.conformance.kubernetes.Tulle;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * From the previous commit's images to these and back, in every order of controller and proxies, nobody loses a request.
 *
 * <p>One load runs through it all, from a caller that keeps the proxy it had at first; a second one begins in the middle with a new proxy.
 */
@Tag("cluster")
@Isolated("it changes what all others use")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class UpgradeTest {
    private static final Duration BUILD = Duration.ofMinutes(15);
    private static final Duration WHILE = Duration.ofSeconds(5);

    /** Exit code of the script: a clone without history. */
    private static final int NO_SUCH_COMMIT = 3;

    private static String previous = "";
    private static String current = "";
    private static Path previousManifest = Path.of("");
    private static Place place;
    private static LoadPod load;

    @BeforeAll
    static void installThePreviousOne() {
        Place.Output earlier = Place.run(BUILD, List.of("../../install/images/previous"), "");
        assumeTrue(earlier.code() != NO_SUCH_COMMIT, earlier.err());
        String folder = earlier.succeeded().out().strip();
        previousManifest = Path.of(folder, "tulle.yaml");
        for (String image : List.of("tulle-controller", "tulle-proxy")) {
            Place.run(List.of(System.getenv("CL") + "/image", folder + "/" + image + ".tar"), "")
                    .succeeded();
        }
        Tulle.ensureInstalled();
        current = proxyImage();
        Tulle.uninstall().succeeded();
        Tulle.change(previousManifest);
        previous = proxyImage();
        assertThat(previous).isNotEqualTo(current);
        place = Place.create("upgrade", Map.of());
        place.apply("pair.yaml");
        place.awaitRollout("deployment/web");
        place.awaitReady("pod/client");
        assertThat(proxiesOfWeb()).containsExactly(previous);
        load = LoadPod.start(place, "old-caller", "--rate=50", "http://web/");
        load.goOn(WHILE);
    }

    @AfterAll
    static void end() {
        if (!previous.isEmpty()) {
            Tulle.change(Tulle.manifest());
            place.close();
        }
    }

    @Test
    @Order(1)
    void theNewControllerServesProxiesOfThePreviousOne() {
        // When: both run side by side for a while
        Tulle.change(Tulle.manifest());
        // Then
        assertThat(proxiesOfWeb()).containsExactly(previous);
        load.goOn(WHILE);
        assertThat(place.app("client", "get", "http://idle/").succeeded().out()).contains("200 OK");
    }

    @Test
    @Order(2)
    void proxiesAreReplacedByARestart() {
        restartWeb();
        assertThat(proxiesOfWeb()).containsExactly(current);
        LoadPod fresh = LoadPod.start(place, "new-caller", "--rate=50", "http://web/");
        fresh.goOn(WHILE).endWithoutLoss(200);
    }

    @Test
    @Order(3)
    void thePreviousControllerServesNewProxies() {
        // When
        Tulle.change(previousManifest);
        Tulle.system()
                .kubectl("set", "env", "deployment/" + Tulle.CONTROLLER, "TULLE_PROXY_IMAGE=" + current)
                .succeeded();
        Tulle.awaitWorking();
        restartWeb();
        // Then
        assertThat(proxiesOfWeb()).containsExactly(current);
        assertThat(Tulle.leader().at("/spec/containers/0/image").asText())
                .isEqualTo(previous.replace("tulle-proxy", "tulle-controller"));
        LoadPod fresh = LoadPod.start(place, "new-caller-again", "--rate=50", "http://web/");
        fresh.goOn(WHILE).endWithoutLoss(200);
    }

    @Test
    @Order(4)
    void nobodyWhoCalledAllTheTimeLostARequest() {
        // When
        Tulle.change(Tulle.manifest());
        load.goOn(WHILE);
        // Then
        load.endWithoutLoss(1500);
    }

    private static void restartWeb() {
        place.kubectl("rollout", "restart", "deployment/web").succeeded();
        place.awaitRollout("deployment/web");
    }

    /** What the controller puts into pods. */
    private static String proxyImage() {
        return Tulle.system()
                .value(
                        "deployment/" + Tulle.CONTROLLER,
                        ".spec.template.spec.containers[0].env[?(@.name==\"TULLE_PROXY_IMAGE\")].value");
    }

    private static Set<String> proxiesOfWeb() {
        Set<String> images = new TreeSet<>();
        for (String pod : place.podsOf("app=web")) {
            images.add(place.value("pod/" + pod, ".spec.initContainers[?(@.name==\"tulle-proxy\")].image"));
        }
        return images;
    }
}
