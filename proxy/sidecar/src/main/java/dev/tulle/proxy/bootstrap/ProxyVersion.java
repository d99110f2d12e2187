package dev.tulle.proxy.bootstrap;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The version of this proxy, as the build wrote it into the jar. */
public final class ProxyVersion {
    private ProxyVersion() {}

    /** For people and for labels; {@code unknown} when the build left none. */
    public static String text() {
        try (InputStream resource = ProxyVersion.class.getResourceAsStream("/dev/tulle/proxy/version.txt")) {
            return resource == null ? "unknown" : new String(resource.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new UncheckedIOException("the version cannot be read from the jar", e);
        }
    }
}
