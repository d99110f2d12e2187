package dev.tulle.smi;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.smi.HTTPRouteGroup.Header;
import dev.tulle.smi.TrafficSplit.Backend;
import dev.tulle.smi.TrafficTarget.Rule;
import dev.tulle.smi.TrafficTarget.RuleKind;
import dev.tulle.smi.TrafficTarget.ServiceAccount;
import dev.tulle.smi.convert.SmiConverter;
import dev.tulle.smi.convert.Weights;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Reads documents of every SMI version into {@link SmiObject}s.
 *
 * <p>Never throws for what a document says: whatever is wrong comes back as {@link Parsed.Bad}, every problem at once. Fields that a
 * version does not have are refused, as kubectl does: a misspelt restriction must not read as no restriction. Stateless.
 */
public final class SmiReader {
    private static final Set<String> EVERY_OBJECT = Set.of("apiVersion", "kind", "metadata", "status");
    private static final Pattern HEADER_NAME = Pattern.compile("[-!#$%&'*+.^_`|~0-9A-Za-z]+");

    private final SmiKind kind;
    private final int version;
    /** Found in the document itself. */
    private final Findings written = new Findings(UnaryOperator.identity());
    /** Found after conversion to the newest version. */
    private final Findings converted = new Findings(this::asWritten);

    private SmiReader(SmiKind kind, int version) {
        this.kind = kind;
        this.version = version;
    }

    /** Whether a document of that {@code apiVersion} and {@code kind} is for {@link #read}; true for versions that do not exist, too. */
    public static boolean isSmi(String apiVersion, String kind) {
        return SmiKind.of(apiVersion, kind).isPresent();
    }

    /**
     * Reads one document.
     *
     * @param document a parsed YAML or JSON document of any version in {@link SmiKind#versions}
     */
    public static Parsed read(JsonNode document) {
        Findings findings = new Findings(UnaryOperator.identity());
        Field root = new Field(document, "", findings);
        String apiVersion =
                root.at("apiVersion").required("write group and version").text().orElse("");
        Optional<SmiKind> kind =
                root.at("kind").required("write the kind").text().flatMap(name -> SmiKind.of(apiVersion, name));
        if (findings.problems().isEmpty() && kind.isEmpty()) {
            root.at("kind")
                    .problem("is %s of %s, which is no SMI kind"
                            .formatted(
                                    root.at("kind").quoted(),
                                    root.at("apiVersion").quoted()));
        }
        if (kind.isPresent() && document instanceof ObjectNode object) {
            List<String> known =
                    kind.get().versions().stream().map(kind.get()::apiVersion).toList();
            if (known.contains(apiVersion)) {
                return new SmiReader(kind.get(), apiVersion.charAt(apiVersion.length() - 1) - '0').readObject(object);
            }
            root.at("apiVersion")
                    .problem("is %s, which %s does not have: write one of %s"
                            .formatted(
                                    root.at("apiVersion").quoted(), kind.get().kind(), String.join(", ", known)));
        }
        return new Parsed.Bad(findings.problems(), Optional.empty());
    }

    private Parsed readObject(ObjectNode document) {
        Field asWritten = new Field(document, "", written);
        refuseFieldsOfOtherVersions(asWritten);
        SmiMetadata metadata = metadata(asWritten.at("metadata"));
        Field root = new Field(SmiConverter.convert(document, kind.apiVersion(kind.newestVersion())), "", converted);
        Optional<SmiObject> object = switch (kind) {
            case TRAFFIC_SPLIT -> trafficSplit(metadata, root.at("spec"));
            case TRAFFIC_TARGET -> trafficTarget(metadata, root.at("spec"));
            case HTTP_ROUTE_GROUP -> Optional.of(httpRouteGroup(metadata, root));
            case TCP_ROUTE -> Optional.of(new TCPRoute(metadata, ports(root.at("spec"))));
            case UDP_ROUTE -> Optional.of(new UDPRoute(metadata, ports(root.at("spec"))));
        };
        List<FieldProblem> problems = joined(written.problems(), converted.problems());
        if (problems.isEmpty()) {
            return new Parsed.Ok(object.orElseThrow(), joined(written.warnings(), converted.warnings()));
        }
        Optional<TrafficTarget> protects =
                metadata.name().isEmpty() || metadata.namespace().isEmpty()
                        ? Optional.empty()
                        : object.filter(TrafficTarget.class::isInstance)
                                .map(TrafficTarget.class::cast)
                                .map(target -> new TrafficTarget(
                                        metadata, target.destination(), target.port(), List.of(), List.of()));
        return new Parsed.Bad(problems, protects);
    }

    private static List<FieldProblem> joined(List<FieldProblem> first, List<FieldProblem> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }

    /** What only some versions have is looked at before conversion, as it could be taken for something afterwards. */
    private void refuseFieldsOfOtherVersions(Field root) {
        Set<String> known = new HashSet<>(EVERY_OBJECT);
        known.addAll(
                switch (kind) {
                    case TRAFFIC_SPLIT, UDP_ROUTE -> Set.of("spec");
                    case TRAFFIC_TARGET -> version == 1 ? Set.of("destination", "specs", "sources") : Set.of("spec");
                    case HTTP_ROUTE_GROUP -> version <= 2 ? Set.of("matches") : Set.of("spec", "matches");
                    case TCP_ROUTE -> version <= 2 ? Set.of() : Set.of("spec");
                });
        root.withOnly(known);
        if (kind == SmiKind.TRAFFIC_SPLIT && version <= 2) {
            root.at("spec").withOnly(Set.of("service", "backends"));
        }
        if (kind == SmiKind.TCP_ROUTE && version == 3) {
            root.at("spec").withOnly(Set.of());
        }
    }

    /** Where the author wrote what the newest version has at {@code path}. */
    private String asWritten(String path) {
        if (kind == SmiKind.TRAFFIC_TARGET && version == 1) {
            return path.replaceFirst("^spec\\.", "").replaceFirst("^rules", "specs");
        }
        if (kind == SmiKind.HTTP_ROUTE_GROUP && version <= 2) {
            return path.replaceFirst("^spec\\.matches", "matches");
        }
        if (kind == SmiKind.TRAFFIC_SPLIT && version <= 2) {
            return path.replaceFirst("^spec\\.matches", "metadata.annotations[" + SmiConverter.ANNOTATION + "]");
        }
        return path;
    }

    /** The metadata, with an empty name or namespace where it cannot be read, and without the annotation that only conversion reads. */
    private static SmiMetadata metadata(Field field) {
        field.entries();
        String name =
                field.at("name").required("give the object a name").objectName().orElse("");
        Field space = field.at("namespace");
        String namespace = space.isAbsent() ? "default" : space.namespaceName().orElse("");
        Map<String, String> labels = texts(field.at("labels"));
        Map<String, String> annotations = texts(field.at("annotations"));
        annotations.remove(SmiConverter.ANNOTATION);
        Field created = field.at("creationTimestamp");
        Optional<Instant> creationTimestamp = created.text().flatMap(text -> instant(created, text));
        return new SmiMetadata(
                name,
                namespace,
                labels,
                annotations,
                creationTimestamp,
                field.at("uid").text());
    }

    private static Map<String, String> texts(Field field) {
        Map<String, String> texts = new LinkedHashMap<>();
        field.entries().forEach((name, value) -> value.text().ifPresent(text -> texts.put(name, text)));
        return texts;
    }

    private static Optional<Instant> instant(Field field, String text) {
        try {
            return Optional.of(Instant.parse(text));
        } catch (DateTimeParseException notOne) {
            field.problem(
                    "is %s: write a time such as 2026-01-31T12:00:00Z, or leave it out".formatted(field.quoted()));
            return Optional.empty();
        }
    }

    private Optional<SmiObject> trafficSplit(SmiMetadata metadata, Field spec) {
        spec.withOnly(Set.of("service", "backends", "matches"));
        Optional<String> service = spec.at("service")
                .required("name the Service whose traffic is split")
                .serviceOf(metadata.namespace());
        List<Field> backends = spec.at("backends")
                .required("list the Services that take the traffic")
                .elements();
        if (spec.at("backends").value().isArray() && backends.isEmpty()) {
            spec.at("backends").problem("is empty: name at least one Service that takes the traffic");
        }
        List<Backend> shares = backends(metadata.namespace(), backends);
        if (!shares.isEmpty() && shares.stream().allMatch(share -> share.weight() == 0)) {
            spec.at("backends").warning("has only weights of 0: nothing can be served; give one a weight");
        }
        List<String> matches = new ArrayList<>();
        for (Field match : spec.at("matches").elements()) {
            match.withOnly(Set.of("kind", "name", "apiGroup"));
            Field matchKind = match.at("kind").required("write HTTPRouteGroup");
            if (matchKind
                    .text()
                    .filter(name -> !name.equals(SmiKind.HTTP_ROUTE_GROUP.kind()))
                    .isPresent()) {
                matchKind.problem("is %s: a split can only match an HTTPRouteGroup".formatted(matchKind.quoted()));
            }
            Field group = match.at("apiGroup");
            if (group.text()
                    .filter(text -> !text.equals(SmiKind.HTTP_ROUTE_GROUP.group()))
                    .isPresent()) {
                group.problem(
                        "is %s: write %s or leave it out".formatted(group.quoted(), SmiKind.HTTP_ROUTE_GROUP.group()));
            }
            match.at("name").required("name the HTTPRouteGroup").objectName().ifPresent(matches::add);
        }
        return service.map(root -> new TrafficSplit(metadata, root, shares, matches));
    }

    /** The backends that can be read; their weights only mean something if all can. */
    private List<Backend> backends(String namespace, List<Field> fields) {
        List<String> services = new ArrayList<>();
        List<BigDecimal> amounts = new ArrayList<>();
        for (Field backend : fields) {
            backend.withOnly(Set.of("service", "weight"));
            Optional<String> service = backend.at("service")
                    .required("name the Service that takes this share")
                    .serviceOf(namespace);
            if (service.filter(services::contains).isPresent()) {
                backend.at("service")
                        .warning("is %s, as in an earlier backend: it gets both shares"
                                .formatted(backend.at("service").quoted()));
            }
            services.add(service.orElse(""));
            amounts.add(weight(backend.at("weight")).orElse(BigDecimal.ZERO));
        }
        List<Long> weights = Weights.whole(amounts, Backend.MAX_WEIGHT);
        return IntStream.range(0, weights.size())
                .mapToObj(i -> new Backend(services.get(i), weights.get(i)))
                .toList();
    }

    private Optional<BigDecimal> weight(Field field) {
        Optional<BigDecimal> amount = Weights.amount(field.value());
        if (field.required("write a whole number, 0 for no traffic").isAbsent()) {
            return Optional.empty();
        }
        if (amount.isEmpty()) {
            boolean negative =
                    field.value().isValueNode() && field.value().asText().startsWith("-");
            field.problem(
                    negative
                            ? "is %s: a weight cannot be negative; write 0 for no traffic".formatted(field.quoted())
                            : "is %s: write a whole number%s"
                                    .formatted(field.quoted(), version == 1 ? " or a quantity such as 500m" : ""));
        } else if (version > 1 && !field.value().isIntegralNumber()) {
            field.warning(
                    "is %s, which only v1alpha1 allows: write a whole number without quotes".formatted(field.quoted()));
        }
        return amount;
    }

    private Optional<SmiObject> trafficTarget(SmiMetadata metadata, Field spec) {
        spec.withOnly(Set.of("destination", "rules", "sources"));
        Field target = spec.at("destination").required("name the ServiceAccount that may be called");
        target.withOnly(Set.of("kind", "name", "namespace", "port"));
        Optional<ServiceAccount> destination =
                target.isAbsent() ? Optional.empty() : serviceAccount(target, metadata.namespace());

        List<ServiceAccount> sources = new ArrayList<>();
        for (Field source : grantList(spec.at("sources"), "list the ServiceAccounts that may call")) {
            source.withOnly(
                    version <= 2 ? Set.of("kind", "name", "namespace", "port") : Set.of("kind", "name", "namespace"));
            serviceAccount(source, metadata.namespace()).ifPresent(sources::add);
        }
        List<Rule> rules = new ArrayList<>();
        for (Field rule : grantList(spec.at("rules"), "list the HTTPRouteGroups or TCPRoutes that may be called")) {
            rule(rule).ifPresent(rules::add);
        }
        Optional<Integer> port = target.at("port").port();
        return destination.map(account -> new TrafficTarget(metadata, account, port, sources, rules));
    }

    /** Sources or rules: v1alpha3 demands the list; empty it is legal everywhere and grants nothing. */
    private List<Field> grantList(Field field, String cure) {
        if (version == 3) {
            field.required(cure);
        }
        List<Field> elements = field.elements();
        if (elements.isEmpty() && (field.value().isArray() || (field.isAbsent() && version < 3))) {
            field.warning("names nothing, so nobody gets access: " + cure);
        }
        return elements;
    }

    /** The account named, even where its kind is wrong: a target misspelt so still knows whom it protects. */
    private static Optional<ServiceAccount> serviceAccount(Field field, String ownNamespace) {
        Field subject = field.at("kind").required("write ServiceAccount");
        Optional<String> kind = subject.text();
        if (kind.filter(text -> !text.equals("ServiceAccount")).isPresent()) {
            subject.problem("is %s: only ServiceAccount is supported".formatted(subject.quoted()));
        }
        Optional<String> name =
                field.at("name").required("name the ServiceAccount").objectName();
        Field namespaceField = field.at("namespace");
        Optional<String> namespace =
                namespaceField.isAbsent() || namespaceField.value().asText("?").isEmpty()
                        ? Optional.of(ownNamespace)
                        : namespaceField.namespaceName();
        return namespace.flatMap(space -> name.map(account -> new ServiceAccount(space, account)));
    }

    private static Optional<Rule> rule(Field rule) {
        rule.withOnly(Set.of("kind", "name", "matches"));
        Field kindField = rule.at("kind").required("write HTTPRouteGroup, TCPRoute or UDPRoute");
        Optional<String> kindName = kindField.text();
        Optional<RuleKind> kind = kindName.flatMap(name -> Arrays.stream(RuleKind.values())
                .filter(each -> each.refersTo().kind().equals(name))
                .findFirst());
        if (kindName.isPresent() && kind.isEmpty()) {
            kindField.problem("is %s: write HTTPRouteGroup, TCPRoute or UDPRoute".formatted(kindField.quoted()));
        }
        Optional<String> name =
                rule.at("name").required("name the object the rule refers to").objectName();
        List<String> matches = new ArrayList<>();
        rule.at("matches")
                .elements()
                .forEach(match -> match.required("name an entry of the HTTPRouteGroup")
                        .filledText()
                        .ifPresent(matches::add));
        if (!matches.isEmpty()
                && kind.filter(each -> each != RuleKind.HTTP_ROUTE_GROUP).isPresent()) {
            rule.at("matches").warning("is ignored: only an HTTPRouteGroup has entries to name");
            matches.clear();
        }
        return kind.flatMap(each -> name.map(text -> new Rule(each, text, matches)));
    }

    private HTTPRouteGroup httpRouteGroup(SmiMetadata metadata, Field root) {
        Field spec = root.at("spec").withOnly(Set.of("matches"));
        boolean atRoot = spec.at("matches").isAbsent() && !root.at("matches").isAbsent();
        if (!atRoot && !root.at("matches").isAbsent() && version > 2) {
            root.at("matches").warning("is ignored, as spec.matches is there: remove one of them");
        }
        Field list = (atRoot ? root : spec).at("matches").required("list the requests that the group describes");
        List<HTTPRouteGroup.Match> matches = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Field entry : list.elements()) {
            HTTPRouteGroup.Match match = httpMatch(entry);
            if (!names.add(match.name()) && !match.name().isEmpty()) {
                entry.at("name")
                        .warning("is %s, as in an earlier entry: a rule that names it means both"
                                .formatted(entry.at("name").quoted()));
            }
            matches.add(match);
        }
        if (list.value().isArray() && matches.isEmpty()) {
            list.warning("is empty: the group describes no request");
        }
        return new HTTPRouteGroup(metadata, matches);
    }

    private static HTTPRouteGroup.Match httpMatch(Field entry) {
        entry.withOnly(Set.of("name", "pathRegex", "methods", "headers"));
        String name =
                entry.at("name").required("give the entry a name").filledText().orElse("");
        Optional<String> pathRegex = entry.at("pathRegex").text().filter(text -> !text.isEmpty());
        List<String> methods = new ArrayList<>();
        boolean any = false;
        for (Field method : entry.at("methods").elements()) {
            String text = method.required("name a method").text().orElse("");
            if (HTTPRouteGroup.METHODS.contains(text)) {
                methods.add(text);
            } else if (text.equals("*")) {
                any = true;
            } else if (method.value().isTextual()) {
                method.problem("is %s: write * or some of %s"
                        .formatted(method.quoted(), String.join(", ", HTTPRouteGroup.METHODS)));
            }
        }
        return new HTTPRouteGroup.Match(name, pathRegex, any ? List.of() : methods, headers(entry.at("headers")));
    }

    /** A map, or a list of maps, as the spec's text and its published CRD differ; of one name the last condition counts. */
    private static List<Header> headers(Field field) {
        Map<String, Header> headers = new LinkedHashMap<>();
        List<Field> maps = field.value().isArray() ? field.elements() : List.of(field);
        for (Field map : maps) {
            map.entries().forEach((written, value) -> {
                String name = written.toLowerCase(Locale.ROOT);
                if (!HEADER_NAME.matcher(written).matches()) {
                    value.problem(
                            "is no header name: write one of letters, digits and '-'; the authority is called host");
                }
                Optional<String> regex = value.required("write a regular expression, .* for any value")
                        .text();
                if (headers.put(name, new Header(name, regex.orElse(""))) != null) {
                    value.warning("is a second condition on this header: only the last one counts");
                }
            });
        }
        return List.copyOf(headers.values());
    }

    private static List<Integer> ports(Field spec) {
        Field matches = spec.withOnly(Set.of("matches")).at("matches").required("write {ports: []} for all ports");
        matches.withOnly(Set.of("name", "ports"));
        List<Integer> ports = new ArrayList<>();
        if (!matches.isAbsent()) {
            for (Field port :
                    matches.at("ports").required("write [] for all ports").elements()) {
                port.required("write a port number").port().ifPresent(ports::add);
            }
        }
        return ports;
    }
}
