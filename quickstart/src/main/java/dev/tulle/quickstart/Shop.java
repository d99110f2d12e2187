package dev.tulle.quickstart;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What runs in the shop; says the same as {@code quickstart/mesh/workloads.yaml}, which a test holds it to. */
final class Shop {
    static final String NAMESPACE = "shop";

    static final Instance WEB = new Instance(0, "web-1", "web", "", "web", Map.of("catalog", 15840));
    static final Instance CATALOG =
            new Instance(1, "catalog-1", "catalog", "", "catalog", Map.of("reviews", 15841, "stock", 15842));
    static final Instance REVIEWS_V1_1 = new Instance(2, "reviews-v1-1", "reviews", "v1", "reviews", Map.of());
    static final Instance REVIEWS_V1_2 = new Instance(3, "reviews-v1-2", "reviews", "v1", "reviews", Map.of());
    static final Instance REVIEWS_V2_1 =
            new Instance(4, "reviews-v2-1", "reviews", "v2", "reviews", Map.of("ratings", 15843));
    static final Instance RATINGS = new Instance(5, "ratings-1", "ratings", "", "ratings", Map.of());
    static final Instance STOCK = new Instance(6, "stock-1", "stock", "", "stock", Map.of());
    static final Instance THIEF = new Instance(
            7, "thief-1", "thief", "", "thief", Map.of("catalog", 15844, "ratings", 15845, "stock", 15846));

    static final List<Instance> INSTANCES =
            List.of(WEB, CATALOG, REVIEWS_V1_1, REVIEWS_V1_2, REVIEWS_V2_1, RATINGS, STOCK, THIEF);

    private Shop() {}

    /**
     * One application with a proxy beside it.
     *
     * @param number place in the layout of {@link Ports}
     * @param name the Workload's name
     * @param app the application, a word of {@code Apps.NAMES}
     * @param version a word for {@code --version}, or empty
     * @param account the ServiceAccount it runs as
     * @param calls the services it calls, with the local port its proxy takes them at for the default base
     */
    record Instance(int number, String name, String app, String version, String account, Map<String, Integer> calls) {
        Instance {
            requireNonNull(name, "name");
            requireNonNull(app, "app");
            requireNonNull(version, "version");
            requireNonNull(account, "account");
            calls = new TreeMap<>(calls);
        }

        /** The Workload as {@code namespace/name}. */
        String workload() {
            return NAMESPACE + "/" + name;
        }

        /** Whether anyone can call it; the thief only calls. */
        boolean serves() {
            return !app.equals("thief");
        }

        /** Whom its certificate proves it to be. */
        String identity() {
            return "spiffe://cluster.local/ns/%s/sa/%s".formatted(NAMESPACE, account);
        }
    }
}
