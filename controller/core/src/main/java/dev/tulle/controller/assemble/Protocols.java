package dev.tulle.controller.assemble;

import dev.tulle.proxy.model.Protocol;
import java.util.Locale;
import java.util.Optional;

/** What a Service or workload says its ports speak. */
final class Protocols {
    private Protocols() {}

    /**
     * By {@code appProtocol}, else by the first word of the port's name; empty when neither says anything we know.
     *
     * <p>Words of Kubernetes (KEP-3726), Open Service Mesh and Istio. TLS of the application's own is opaque.
     */
    static Optional<Protocol> declared(String appProtocol, String portName) {
        Optional<Protocol> byApp = word(appProtocol);
        if (byApp.isPresent()) {
            return byApp;
        }
        int dash = portName.indexOf('-');
        return word(dash < 0 ? portName : portName.substring(0, dash));
    }

    private static Optional<Protocol> word(String written) {
        return switch (written.toLowerCase(Locale.ROOT)) {
            case "http", "http2", "h2c", "kubernetes.io/h2c", "kubernetes.io/ws" -> Optional.of(Protocol.HTTP);
            case "grpc", "kubernetes.io/grpc" -> Optional.of(Protocol.GRPC);
            case "tcp", "tcp-server-first", "https", "tls", "kubernetes.io/wss" -> Optional.of(Protocol.TCP);
            default -> Optional.empty();
        };
    }
}
