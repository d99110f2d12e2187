package dev.tulle.controller.trafficmetrics;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** What a path of the API asks for. */
sealed interface Asked {
    String GROUP = "metrics.smi-spec.io";
    String VERSION = "v1alpha1";
    String PREFIX = "/apis/" + GROUP + "/" + VERSION;

    /** What there is to ask for: of everything, of the group, or of its version. */
    record Discovery(Level level) implements Asked {
        public Discovery {
            requireNonNull(level, "level");
        }

        enum Level {
            GROUPS,
            GROUP,
            VERSION
        }
    }

    /** About traffic; users need a right for it. */
    sealed interface Traffic extends Asked {
        Kind kind();

        Right right();
    }

    /** One thing. */
    record One(Kind kind, String namespace, String name) implements Traffic {
        public One {
            requireNonNull(kind, "kind");
            requireNonNull(namespace, "namespace");
            requireNonNull(name, "name");
        }

        @Override
        public Right right() {
            // The API server takes the name of a namespace for the namespace of the request, too.
            return new Right("get", kind.plural(), "", kind == Kind.NAMESPACES ? name : namespace, name);
        }
    }

    /** All of one kind; of all namespaces when {@code namespace} is empty. */
    record Many(Kind kind, String namespace) implements Traffic {
        public Many {
            requireNonNull(kind, "kind");
            requireNonNull(namespace, "namespace");
        }

        @Override
        public Right right() {
            return new Right("list", kind.plural(), "", namespace, "");
        }
    }

    /** With whom one thing has traffic. */
    record Edges(Kind kind, String namespace, String name) implements Traffic {
        public Edges {
            requireNonNull(kind, "kind");
            requireNonNull(namespace, "namespace");
            requireNonNull(name, "name");
        }

        @Override
        public Right right() {
            // /namespaces/x/edges reads to the API server like a list of 'edges' in x.
            return kind == Kind.NAMESPACES
                    ? new Right("list", "edges", "", name, "")
                    : new Right("get", kind.plural(), "edges", namespace, name);
        }
    }

    /** What a user must be allowed to, in the words that the API server itself finds in the path; empty parts say nothing. */
    record Right(String verb, String resource, String subresource, String namespace, String name) {
        public Right {
            requireNonNull(verb, "verb");
            requireNonNull(resource, "resource");
            requireNonNull(subresource, "subresource");
            requireNonNull(namespace, "namespace");
            requireNonNull(name, "name");
        }
    }

    /** Reads a path without its query; absent when there is nothing at it. */
    static Optional<Asked> read(String path) {
        return switch (path) {
            case "/apis", "/apis/" -> Optional.of(new Discovery(Discovery.Level.GROUPS));
            case "/apis/" + GROUP, "/apis/" + GROUP + "/" -> Optional.of(new Discovery(Discovery.Level.GROUP));
            case PREFIX, PREFIX + "/" -> Optional.of(new Discovery(Discovery.Level.VERSION));
            default ->
                path.startsWith(PREFIX + "/")
                        ? traffic(List.of(path.substring(PREFIX.length() + 1).split("/", -1)))
                        : Optional.empty();
        };
    }

    private static Optional<Asked> traffic(List<String> parts) {
        if (!parts.stream().allMatch(part -> Names.FORM.matcher(part).matches())) {
            return Optional.empty();
        }
        boolean isInNamespace = parts.size() >= 3
                && parts.getFirst().equals(Kind.NAMESPACES.plural())
                && !(parts.size() == 3 && parts.getLast().equals("edges"));
        String namespace = isInNamespace ? parts.get(1) : "";
        List<String> rest = isInNamespace ? parts.subList(2, parts.size()) : parts;
        Optional<Kind> kind = Kind.of(rest.getFirst()).filter(one -> one.isNamespaced() || !isInNamespace);
        if (kind.isEmpty()) {
            return Optional.empty();
        }
        boolean hasPlace = isInNamespace || !kind.get().isNamespaced();
        return switch (rest.size()) {
            case 1 -> Optional.of(new Many(kind.get(), namespace));
            case 2 -> hasPlace ? Optional.of(new One(kind.get(), namespace, rest.get(1))) : Optional.empty();
            case 3 ->
                hasPlace && rest.get(2).equals("edges") && kind.get() != Kind.TRAFFICSPLITS
                        ? Optional.of(new Edges(kind.get(), namespace, rest.get(1)))
                        : Optional.empty();
            default -> Optional.empty();
        };
    }

    /** What names of objects look like. */
    final class Names {
        private static final Pattern FORM = Pattern.compile("[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?");

        private Names() {}
    }
}
