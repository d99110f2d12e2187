package dev.tulle.controller.inject;

import static java.util.Objects.requireNonNull;

import java.util.Optional;

/**
 * What the controller says of every pod it injects.
 *
 * @param image of the proxy, which is also that of the redirect step
 * @param pullPolicy of that image; absent leaves it to Kubernetes
 * @param version of the proxy, for the pod's annotation
 * @param controller where proxies enrol, as host and port
 * @param osm whether labels and annotations of Open Service Mesh count where ours say nothing
 */
public record InjectSettings(
        String image, Optional<String> pullPolicy, String version, String controller, boolean osm) {
    /** The Service in front of the controller. */
    public static final String CONTROLLER = "tulle-controller.tulle-system.svc:15800";

    public InjectSettings {
        requireNonNull(image, "image");
        requireNonNull(pullPolicy, "pullPolicy");
        requireNonNull(version, "version");
        requireNonNull(controller, "controller");
    }

    /** Settings of one image, everything else as usual. */
    public static InjectSettings of(String image, String version) {
        return new InjectSettings(image, Optional.empty(), version, CONTROLLER, false);
    }
}
