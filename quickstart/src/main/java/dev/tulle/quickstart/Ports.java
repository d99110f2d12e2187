package dev.tulle.quickstart;

import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where everything listens: a hundred ports from a base that is a multiple of a hundred.
 *
 * <p>The files in {@code quickstart/mesh} are written for the base {@value #DEFAULT_BASE}; {@link #moved} writes them for another.
 *
 * @param base 1100 to 65400
 */
record Ports(int base) {
    static final int DEFAULT_BASE = 15800;

    private static final Pattern WRITTEN = Pattern.compile("\\b158(\\d\\d)\\b");

    Ports {
        if (base < 1100 || base > 65400 || base % 100 != 0) {
            throw new IllegalArgumentException(
                    "--port-base is a multiple of 100 from 1100 to 65400, not %d".formatted(base));
        }
    }

    /** Enrolment and discovery. */
    int discovery() {
        return base;
    }

    /** The controller's page and API. */
    int http() {
        return base + 80;
    }

    /** Where the customers' load tells what it counted. */
    int load() {
        return base + 19;
    }

    /** Free for a relay that {@code --check} puts between two proxies. */
    int relay() {
        return base + 39;
    }

    int application(Shop.Instance instance) {
        return base + 10 + instance.number();
    }

    int control(Shop.Instance instance) {
        return base + 20 + instance.number();
    }

    /** Where an instance's proxy listens for the others. */
    int listen(Shop.Instance instance) {
        return base + 30 + instance.number();
    }

    int admin(Shop.Instance instance) {
        return base + 60 + instance.number();
    }

    int privateAdmin(Shop.Instance instance) {
        return base + 70 + instance.number();
    }

    /** The port a file names for {@link #DEFAULT_BASE}, here. */
    int here(int written) {
        return written - DEFAULT_BASE + base;
    }

    /** {@code text} with every port of {@link #DEFAULT_BASE}'s hundred moved to this base. */
    String moved(String text) {
        return WRITTEN.matcher(text)
                .replaceAll(
                        found -> Matcher.quoteReplacement(Integer.toString(base + Integer.parseInt(found.group(1)))));
    }

    /** Every port that will be listened on, with what for. */
    SortedMap<Integer, String> all() {
        SortedMap<Integer, String> all = new TreeMap<>();
        all.put(discovery(), "the controller, for proxies");
        all.put(http(), "the page and the API");
        all.put(load(), "the load");
        for (Shop.Instance instance : Shop.INSTANCES) {
            if (instance.serves()) {
                all.put(application(instance), "the application of " + instance.name());
                all.put(listen(instance), "the proxy of " + instance.name());
            }
            all.put(control(instance), "the control port of " + instance.name());
            all.put(admin(instance), "the admin port of the proxy of " + instance.name());
            all.put(privateAdmin(instance), "the private admin port of the proxy of " + instance.name());
            instance.calls().forEach((called, port) -> all.put(here(port), instance.name() + " to call " + called));
        }
        return all;
    }
}
