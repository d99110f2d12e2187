package dev.tulle.smi;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/** The SMI kinds that are read, as their custom resource definitions name them. */
public enum SmiKind {
    TRAFFIC_SPLIT("split", "TrafficSplit", "ts", 1, 4),
    TRAFFIC_TARGET("access", "TrafficTarget", "tt", 1, 3),
    HTTP_ROUTE_GROUP("specs", "HTTPRouteGroup", "htr", 1, 4),
    TCP_ROUTE("specs", "TCPRoute", "tr", 1, 4),
    UDP_ROUTE("specs", "UDPRoute", "ur", 4, 4);

    private final String group;
    private final String kind;
    private final String shortName;
    private final int oldest;
    private final int newest;

    SmiKind(String group, String kind, String shortName, int oldest, int newest) {
        this.group = group + ".smi-spec.io";
        this.kind = kind;
        this.shortName = shortName;
        this.oldest = oldest;
        this.newest = newest;
    }

    /** The API group, such as {@code split.smi-spec.io}. */
    public String group() {
        return group;
    }

    /** The kind as documents write it, such as {@code TrafficSplit}. */
    public String kind() {
        return kind;
    }

    /** The resource name, such as {@code trafficsplits}. */
    public String plural() {
        return singular() + "s";
    }

    /** The resource name of one, such as {@code trafficsplit}. */
    public String singular() {
        return kind.toLowerCase(Locale.ROOT);
    }

    /** The short name that kubectl knows, such as {@code ts}. */
    public String shortName() {
        return shortName;
    }

    /** The kind of a list of these, such as {@code TrafficSplitList}. */
    public String listKind() {
        return kind + "List";
    }

    /** Name of the custom resource definition, such as {@code trafficsplits.split.smi-spec.io}. */
    public String definitionName() {
        return plural() + "." + group;
    }

    /** Every version that is read and served, oldest first. */
    public List<String> versions() {
        return IntStream.rangeClosed(oldest, newest)
                .mapToObj(number -> "v1alpha" + number)
                .toList();
    }

    /** The version that is stored, and whose meaning the records have. */
    public String newestVersion() {
        return "v1alpha" + newest;
    }

    /** Group and version as {@code apiVersion} spells them. */
    public String apiVersion(String version) {
        return group + "/" + version;
    }

    /** The kind of that name in the group of that {@code apiVersion}, whether or not its version is one of {@link #versions}. */
    public static Optional<SmiKind> of(String apiVersion, String kind) {
        for (SmiKind candidate : values()) {
            if (candidate.kind.equals(kind) && apiVersion.startsWith(candidate.group + "/")) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }
}
