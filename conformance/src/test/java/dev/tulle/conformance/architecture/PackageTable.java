package dev.tulle.conformance.architecture;

import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Which package may know which: a table of rows, read from text, in which a package may only name packages that stand above it, so
 * that no cycle can be written down.
 *
 * <p>A row is {@code package | pure or edge | packages of ours | libraries}. Names of ours leave out the base package; libraries are
 * words explained by {@link #LIBRARIES}. A pure package sees no socket, file, thread, clock, randomness or environment.
 */
final class PackageTable {
    /** What a library's word in the table stands for: prefixes of packages. */
    private static final Map<String, List<String>> LIBRARIES = Map.ofEntries(
            Map.entry("bouncycastle", List.of("org.bouncycastle.")),
            Map.entry("grpc", List.of("io.grpc.")),
            Map.entry("jackson", List.of("com.fasterxml.jackson.")),
            Map.entry("jackson-core", List.of("com.fasterxml.jackson.core.")),
            Map.entry("netty", List.of("io.netty.")),
            Map.entry("picocli", List.of("picocli.")),
            Map.entry(
                    "quarkus",
                    List.of(
                            "io.quarkus.",
                            "io.smallrye.",
                            "io.micrometer.",
                            "org.eclipse.microprofile.",
                            "org.jboss.logging.",
                            "jakarta.")),
            Map.entry("re2j", List.of("com.google.re2j.")),
            Map.entry("vertx", List.of("io.vertx.")),
            Map.entry("fabric8", List.of("io.fabric8.")),
            Map.entry("yaml", List.of("org.yaml.snakeyaml.")));

    /** What every package may use. */
    private static final List<String> COMMON = List.of("java.", "org.jspecify.annotations.");

    /** Further JDK packages, for edges only. */
    private static final List<String> EDGE =
            List.of("javax.", "org.ietf.jgss.", "org.w3c.dom.", "org.xml.sax.", "jdk.net.", "com.sun.net.httpserver.");

    private static final List<String> IMPURE_PACKAGES =
            List.of("java.net.", "java.nio.channels.", "java.nio.file.", "java.util.logging.");

    private static final Set<String> IMPURE_TYPES = Set.of(
            "java.io.File",
            "java.io.FileInputStream",
            "java.io.FileOutputStream",
            "java.io.FileReader",
            "java.io.FileWriter",
            "java.io.RandomAccessFile",
            "java.lang.Process",
            "java.lang.ProcessBuilder",
            "java.lang.Runtime",
            "java.lang.Thread",
            "java.lang.ThreadLocal",
            "java.util.Random",
            "java.util.Timer",
            "java.util.concurrent.CompletableFuture",
            "java.util.concurrent.Executor",
            "java.util.concurrent.ExecutorService",
            "java.util.concurrent.Executors",
            "java.util.concurrent.ScheduledExecutorService",
            "java.util.concurrent.ThreadLocalRandom");

    private static final Set<String> IMPURE_METHODS = Set.of(
            "java.lang.Math.random",
            "java.lang.System.currentTimeMillis",
            "java.lang.System.getProperty",
            "java.lang.System.getenv",
            "java.lang.System.nanoTime",
            "java.time.Clock.systemDefaultZone",
            "java.time.Clock.systemUTC",
            "java.time.Instant.now",
            "java.time.LocalDate.now",
            "java.time.LocalDateTime.now",
            "java.time.OffsetDateTime.now",
            "java.time.ZonedDateTime.now",
            "java.util.UUID.randomUUID");

    private record Row(String name, boolean pure, Set<String> knows, List<String> libraries) {}

    private final String base;
    private final Map<String, Row> rows;

    private PackageTable(String base, Map<String, Row> rows) {
        this.base = base;
        this.rows = rows;
    }

    /** Reads a table; throws IllegalArgumentException that quotes the row when one names a package that is not above it. */
    static PackageTable read(String base, String text) {
        Map<String, Row> rows = new LinkedHashMap<>();
        for (String line : text.lines().filter(line -> !line.isBlank()).toList()) {
            String[] cells = line.split("\\|", -1);
            if (cells.length != 4) {
                throw new IllegalArgumentException("not four cells: " + line);
            }
            String name = qualified(base, cells[0].strip());
            Set<String> knows = new TreeSet<>();
            for (String known : words(cells[2])) {
                if (!rows.containsKey(qualified(base, known))) {
                    throw new IllegalArgumentException("'%s' does not stand above: %s".formatted(known, line));
                }
                knows.add(qualified(base, known));
            }
            List<String> libraries = new ArrayList<>();
            for (String word : words(cells[3])) {
                libraries.addAll(Stream.ofNullable(LIBRARIES.get(word))
                        .findFirst()
                        .orElseThrow(
                                () -> new IllegalArgumentException("unknown library '%s': %s".formatted(word, line))));
            }
            boolean pure = switch (cells[1].strip()) {
                case "pure" -> true;
                case "edge" -> false;
                default -> throw new IllegalArgumentException("neither pure nor edge: " + line);
            };
            if (rows.put(name, new Row(name, pure, knows, libraries)) != null) {
                throw new IllegalArgumentException("a second row: " + line);
            }
        }
        return new PackageTable(base, rows);
    }

    /** Names of all packages, in the order of the table. */
    List<String> packages() {
        return List.copyOf(rows.keySet());
    }

    /** One line for each thing that the table does not allow, sorted; each begins with the name of the class at fault. */
    List<String> violations(JavaClasses classes) {
        Set<String> found = new TreeSet<>();
        for (JavaClass type : classes) {
            Row row = rows.get(type.getPackageName());
            if (row == null) {
                found.add("%s is in a package without a row in the table".formatted(type.getName()));
                continue;
            }
            for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
                JavaClass target = dependency.getTargetClass().getBaseComponentType();
                if (!target.isPrimitive() && !mayKnow(row, target)) {
                    found.add("%s knows %s".formatted(type.getName(), target.getName()));
                }
            }
            if (row.pure()) {
                Stream.concat(type.getMethodCallsFromSelf().stream(), type.getMethodReferencesFromSelf().stream())
                        .map(call -> call.getTarget())
                        .map(PackageTable::methodName)
                        .filter(IMPURE_METHODS::contains)
                        .forEach(method -> found.add("%s, which is pure, calls %s".formatted(type.getName(), method)));
            }
        }
        return List.copyOf(found);
    }

    private boolean mayKnow(Row row, JavaClass target) {
        String name = target.getName();
        String itsPackage = target.getPackageName();
        if (itsPackage.equals(row.name()) || row.knows().contains(itsPackage)) {
            return true;
        }
        if (itsPackage.equals(base) || itsPackage.startsWith(base + ".")) {
            return false;
        }
        if (row.pure() && (startsWithAny(name, IMPURE_PACKAGES) || IMPURE_TYPES.contains(name))) {
            return false;
        }
        return startsWithAny(name, COMMON)
                || startsWithAny(name, row.libraries())
                || (!row.pure() && startsWithAny(name, EDGE));
    }

    private static String methodName(AccessTarget target) {
        return target.getOwner().getName() + "." + target.getName();
    }

    private static boolean startsWithAny(String name, List<String> prefixes) {
        return prefixes.stream().anyMatch(name::startsWith);
    }

    private static String qualified(String base, String name) {
        return base + "." + name;
    }

    private static List<String> words(String cell) {
        return cell.isBlank() ? List.of() : List.of(cell.strip().split("\\s+"));
    }
}
