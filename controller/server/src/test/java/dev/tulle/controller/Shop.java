package dev.tulle.controller;

import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.watch.DirectorySource;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.WorkloadId;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The shop of {@code shop.yaml}: web calls catalog, catalog calls reviews, which is split 90 to 10; a thief would like to. */
public final class Shop {
    public static final WorkloadId WEB = new WorkloadId("shop", "web-1");
    public static final WorkloadId CATALOG = new WorkloadId("shop", "catalog-1");
    public static final WorkloadId REVIEWS_V1 = new WorkloadId("shop", "reviews-v1-1");
    public static final WorkloadId REVIEWS_V2 = new WorkloadId("shop", "reviews-v2-1");
    public static final DestinationKey TO_CATALOG = new DestinationKey.ServicePort("shop", "catalog", 9080);
    public static final DestinationKey TO_REVIEWS = new DestinationKey.ServicePort("shop", "reviews", 9080);

    private Shop() {}

    /** The documents. */
    public static String yaml() {
        try (InputStream text = Objects.requireNonNull(Shop.class.getResourceAsStream("/shop.yaml"))) {
            return new String(text.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What the documents say, read by way of a directory. */
    public static Resources resources(Path directory) {
        return resources(directory, yaml());
    }

    /** What some documents say. */
    public static Resources resources(Path directory, String yaml) {
        try {
            Files.createDirectories(directory);
            Files.writeString(directory.resolve("shop.yaml"), yaml);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List<Resources> read = new ArrayList<>();
        try (DirectorySource source = new DirectorySource(directory)) {
            source.start(read::add);
        }
        return read.getFirst();
    }
}
