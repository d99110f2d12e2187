package dev.tulle.smi.convert;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.smi.SmiKind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** Objects of any kind and version as their schemas allow them, and edits that a client of that version could make. */
final class RandomObjects {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final String[] NAMES = {"a", "b-1", "web", "api.v2", "podinfo-canary"};
    private static final String[] METHODS = {
        "*", "GET", "HEAD", "PUT", "POST", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"
    };
    private static final String[] UNITS = {"", "", "", "m", "m", "u", "n", "k", "M", "Ki", "e2", "E-1", ".5", ".250m"};

    private final RandomGenerator random;

    RandomObjects(RandomGenerator random) {
        this.random = random;
    }

    ObjectNode object(SmiKind kind, int version) {
        ObjectNode object = JSON.objectNode();
        object.put("apiVersion", kind.apiVersion("v1alpha" + version)).put("kind", kind.kind());
        ObjectNode metadata = object.putObject("metadata");
        metadata.put("name", name()).put("namespace", name());
        maybe(() -> metadata.putObject("labels").put("app", name()));
        maybe(() -> metadata.putObject("annotations").put("note", name()));
        maybe(() -> metadata.put("uid", "u-" + random.nextInt(100)));
        fill(kind, version, object);
        return object;
    }

    /** What a client does that read the object and writes it with some other content: all of it, or its weights alone. */
    void edit(SmiKind kind, int version, ObjectNode object) {
        if (kind == SmiKind.TRAFFIC_SPLIT && random.nextBoolean()) {
            for (JsonNode backend : object.at("/spec/backends")) {
                ((ObjectNode) backend).set("weight", weight(version));
            }
        } else {
            object.remove(List.of("spec", "destination", "specs", "sources", "matches"));
            fill(kind, version, object);
        }
    }

    /** Puts something wrong in some places of an object, but leaves its kind and version. */
    void spoil(ObjectNode object) {
        for (int count = random.nextInt(1, 4); count > 0; count--) {
            spoilOne(object, 0);
        }
    }

    private void spoilOne(JsonNode container, int depth) {
        List<String> names = new ArrayList<>(List.of("spec", "x"));
        container.fieldNames().forEachRemaining(names::add);
        String name = names.get(random.nextInt(names.size()));
        JsonNode child =
                container.isArray() ? container.path(random.nextInt(container.size() + 1)) : container.path(name);
        if (child.isContainerNode() && random.nextInt(4) > 0) {
            spoilOne(child, depth + 1);
        } else if (container instanceof ObjectNode fields
                && (depth > 0 || !List.of("apiVersion", "kind").contains(name))) {
            fields.set(name, rubbish());
        } else if (container instanceof ArrayNode list) {
            list.insert(random.nextInt(list.size() + 1), rubbish());
        }
    }

    private JsonNode rubbish() {
        return switch (random.nextInt(12)) {
            case 0 -> JSON.nullNode();
            case 1 -> JSON.objectNode();
            case 2 -> JSON.arrayNode();
            case 3 -> JSON.arrayNode().add(JSON.nullNode()).add(5).add("x");
            case 4 -> JSON.objectNode().put("a.b/c", 5).put("spec", 1);
            case 5 -> JSON.numberNode(-7);
            case 6 -> JSON.numberNode(1e300);
            case 7 -> JSON.numberNode(BigInteger.TEN.pow(40));
            case 8 -> JSON.numberNode(Double.NaN);
            case 9 -> JSON.booleanNode(true);
            case 10 -> JSON.textNode("");
            default ->
                JSON.textNode(
                        "{\"matches\":[{}],\"weights\":[1,2],\"port\":\"80\",\"shadowedMatches\":[],\"matchesAtRoot\":1}");
        };
    }

    private void fill(SmiKind kind, int version, ObjectNode object) {
        switch (kind) {
            case TRAFFIC_SPLIT -> split(version, object.putObject("spec"));
            case TRAFFIC_TARGET -> target(version, version == 1 ? object : object.putObject("spec"));
            case HTTP_ROUTE_GROUP -> {
                if (version <= 2) {
                    object.set("matches", httpMatches());
                } else {
                    maybe(() -> object.set("matches", httpMatches()));
                    maybe(() -> object.putObject("spec").set("matches", httpMatches()));
                }
            }
            case TCP_ROUTE -> {
                if (version == 3) {
                    maybe(() -> object.putObject("spec"));
                } else if (version == 4) {
                    ports(object.putObject("spec"));
                }
            }
            case UDP_ROUTE -> ports(object.putObject("spec"));
        }
    }

    private void split(int version, ObjectNode spec) {
        spec.put("service", name());
        spec.set("backends", list(() -> {
            ObjectNode backend = JSON.objectNode().put("service", name());
            backend.set("weight", weight(version));
            return backend;
        }));
        if (version >= 3) {
            maybe(() -> spec.set("matches", list(() -> {
                ObjectNode match =
                        JSON.objectNode().put("kind", "HTTPRouteGroup").put("name", name());
                maybe(() -> match.put("apiGroup", "specs.smi-spec.io"));
                return match;
            })));
        }
    }

    private JsonNode weight(int version) {
        int number = random.nextInt(random.nextBoolean() ? 3 : 2000);
        if (version > 1) {
            return random.nextInt(20) == 0
                    ? JSON.numberNode(random.nextLong(1L << 32, Long.MAX_VALUE))
                    : JSON.numberNode(number);
        }
        return random.nextInt(4) == 0
                ? JSON.numberNode(number)
                : JSON.textNode((random.nextInt(9) == 0 ? "+0" : "") + number + UNITS[random.nextInt(UNITS.length)]);
    }

    private void target(int version, ObjectNode spec) {
        ObjectNode destination = subject();
        maybe(() -> {
            int port = random.nextInt(1, 65536);
            destination.set(
                    "port", version == 3 && random.nextBoolean() ? JSON.textNode("" + port) : JSON.numberNode(port));
        });
        spec.set("destination", destination);
        ArrayNode rules = list(() -> {
            ObjectNode rule = JSON.objectNode()
                    .put(
                            "kind",
                            random.nextBoolean() ? "HTTPRouteGroup" : random.nextBoolean() ? "TCPRoute" : "UDPRoute")
                    .put("name", name());
            maybe(() -> rule.set("matches", list(() -> JSON.textNode(name()))));
            return rule;
        });
        ArrayNode sources = list(this::subject);
        if (version == 3 || random.nextInt(4) > 0) {
            spec.set(version == 1 ? "specs" : "rules", rules);
            spec.set("sources", sources);
        }
    }

    private ObjectNode subject() {
        ObjectNode subject = JSON.objectNode().put("kind", "ServiceAccount").put("name", name());
        maybe(() -> subject.put("namespace", "web"));
        return subject;
    }

    private ArrayNode httpMatches() {
        return list(() -> {
            ObjectNode match = JSON.objectNode().put("name", name());
            maybe(() -> match.put("pathRegex", "/" + name()));
            maybe(() -> match.set("methods", list(() -> JSON.textNode(METHODS[random.nextInt(METHODS.length)]))));
            maybe(() -> match.set("headers", random.nextBoolean() ? header() : list(this::header)));
            return match;
        });
    }

    private ObjectNode header() {
        return JSON.objectNode().put(name(), ".*").put("user-agent", name());
    }

    private void ports(ObjectNode spec) {
        ObjectNode matches = spec.putObject("matches");
        maybe(() -> matches.put("name", name()));
        matches.set("ports", list(() -> JSON.numberNode(random.nextInt(1, 65536))));
    }

    private ArrayNode list(Supplier<JsonNode> element) {
        ArrayNode list = JSON.arrayNode();
        for (int size = random.nextInt(4); size > 0; size--) {
            list.add(element.get());
        }
        return list;
    }

    private String name() {
        return NAMES[random.nextInt(NAMES.length)];
    }

    private void maybe(Runnable step) {
        if (random.nextBoolean()) {
            step.run();
        }
    }
}
