package dev.tulle.conformance.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import dev.tulle.conformance.repository.Repository;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** No package knows more than the table lets it know. */
class ArchitectureTest {
    private static final PackageTable TABLE = PackageTable.read("dev.tulle", """
            smi.convert           | pure |                                                       | jackson
            smi                   | pure | smi.convert                                           | jackson

            proxy.model           | pure |                                                       | jackson-core
            proxy.match           | pure | proxy.model                                           | re2j
            proxy.policy          | pure | proxy.model proxy.match                               |
            proxy.routing         | pure | proxy.model proxy.match proxy.policy                  |
            proxy.balance         | pure | proxy.model                                           |
            proxy.resilience      | pure | proxy.model                                           |

            proxy.bootstrap       | edge | proxy.model                                           | netty
            proxy.redirect        | edge |                                                       |
            proxy.telemetry       | edge | proxy.model proxy.bootstrap                           |
            proxy.http            | edge | proxy.model proxy.bootstrap                           | netty
            proxy.identity        | edge | proxy.model proxy.bootstrap proxy.telemetry           | netty bouncycastle jackson-core
            proxy.upstream        | edge | proxy.model proxy.match proxy.policy proxy.routing proxy.balance proxy.resilience proxy.bootstrap proxy.telemetry proxy.http proxy.identity | netty
            proxy.guard           | edge | proxy.model proxy.routing proxy.resilience proxy.telemetry proxy.http proxy.upstream | netty jackson-core
            proxy.inbound         | edge | proxy.model proxy.match proxy.policy proxy.routing proxy.resilience proxy.bootstrap proxy.telemetry proxy.http proxy.identity proxy.upstream proxy.guard | netty
            proxy.outbound        | edge | proxy.model proxy.match proxy.policy proxy.routing proxy.balance proxy.resilience proxy.bootstrap proxy.redirect proxy.telemetry proxy.http proxy.identity proxy.upstream proxy.guard | netty
            proxy.rehearsal       | edge | proxy.model proxy.routing proxy.bootstrap proxy.telemetry proxy.identity proxy.upstream proxy.inbound proxy.outbound | netty bouncycastle
            proxy.discovery       | edge | proxy.model proxy.routing proxy.bootstrap proxy.telemetry proxy.identity | netty
            proxy.admin           | edge | proxy.model proxy.bootstrap                           | netty jackson-core
            proxy                 | edge | proxy.model proxy.match proxy.policy proxy.routing proxy.balance proxy.resilience proxy.bootstrap proxy.telemetry proxy.http proxy.identity proxy.upstream proxy.guard proxy.inbound proxy.outbound proxy.rehearsal proxy.discovery proxy.admin proxy.redirect | netty

            controller.resources  | pure | smi proxy.model                                       |
            controller.model      | pure | proxy.model                                           |
            controller.assemble   | pure | smi proxy.model proxy.match controller.resources controller.model |
            controller.translate  | pure | proxy.model controller.model                          |
            controller.why        | pure | smi proxy.model proxy.match proxy.policy proxy.routing controller.model controller.translate |
            controller.inject     | pure | smi.convert controller.resources controller.assemble  | jackson
            controller.lint       | pure | smi smi.convert proxy.model proxy.match proxy.routing controller.resources controller.model controller.assemble controller.inject | jackson
            controller.watch      | edge | smi proxy.model controller.resources controller.inject controller.lint | jackson yaml
            controller.identity   | edge | proxy.model controller.model                          | quarkus bouncycastle jackson
            controller.event      | edge |                                                       | fabric8
            controller.report     | edge | proxy.model controller.model                          | quarkus
            controller.discovery  | edge | proxy.model controller.model controller.translate controller.identity controller.report | quarkus vertx jackson
            controller.api        | edge | proxy.model controller.resources controller.model controller.assemble controller.why controller.report controller.identity controller.discovery | quarkus vertx jackson
            controller.kubernetes | edge | smi proxy.model controller.resources controller.watch controller.event | quarkus vertx jackson fabric8
            controller.trust      | edge | proxy.model controller.resources controller.identity controller.api controller.event | quarkus bouncycastle fabric8
            controller.trafficmetrics | edge | proxy.model controller.model controller.report controller.resources | quarkus vertx jackson fabric8
            controller.webhook    | edge | smi smi.convert proxy.model controller.resources controller.assemble controller.inject controller.identity controller.lint controller.event | quarkus vertx jackson fabric8
            controller            | edge | smi proxy.model controller.resources controller.watch controller.model controller.assemble controller.translate controller.why controller.identity controller.report controller.discovery controller.api controller.trust controller.kubernetes controller.trafficmetrics controller.webhook | quarkus vertx jackson fabric8

            cli.inject            | pure | controller.inject                                     | jackson yaml
            cli.migrate           | pure | controller.resources controller.assemble controller.inject cli.inject | jackson
            cli                   | edge | smi controller.resources controller.inject controller.lint controller.watch cli.inject cli.migrate | picocli jackson
            """);

    private static final List<String> MODULES =
            List.of("smi-crds", "proxy/model", "proxy/sidecar", "controller/core", "controller/server", "install/cli");

    private static JavaClasses ours;

    @BeforeAll
    static void importClassesOfEveryModule() {
        ArchConfiguration.get().setResolveMissingDependenciesFromClassPath(false);
        ours = new ClassFileImporter()
                .importPaths(MODULES.stream()
                        .map(module -> Repository.root().resolve(module).resolve("target/classes"))
                        .filter(Files::isDirectory)
                        .toList());
    }

    @Test
    void everyModuleIsLookedAt() {
        assertThat(MODULES)
                .allSatisfy(module -> assertThat(Repository.filesUnder(
                                Repository.root().resolve(module).resolve("target/classes"), ".class"))
                        .as("compiled classes of " + module)
                        .isNotEmpty());
    }

    @Test
    void noPackageKnowsMoreThanTheTableAllows() {
        assertThat(TABLE.violations(ours)).isEmpty();
    }

    @Test
    void theTableHasNoRowForAPackageThatIsGone() {
        // Given
        Set<String> there = ours.stream().map(JavaClass::getPackageName).collect(Collectors.toSet());
        // Then
        assertThat(there).containsAll(TABLE.packages());
    }

    @Test
    void noPackageIsNamedAfterNothing() {
        assertThat(TABLE.packages())
                .allSatisfy(name -> assertThat(List.of(name.split("\\.")))
                        .doesNotContain(
                                "util",
                                "utils",
                                "common",
                                "misc",
                                "helper",
                                "build",
                                "target",
                                "out",
                                "dist",
                                "generated"));
    }

    @Test
    void everyPackageIsNullMarkedAndHasACaption() {
        for (String module : MODULES) {
            Path sources = Repository.root().resolve(module).resolve("src/main/java");
            for (Path folder : Repository.foldersWith(sources, ".java")) {
                Path info = folder.resolve("package-info.java");
                assertThat(info).exists();
                assertThat(Repository.text(info))
                        .matches("(?s)/\\*\\*\\s+\\*?\\s*[A-Z].*\\..*\\*/\\s+@NullMarked\\s+package .*");
            }
        }
        assertThat(ours.stream().filter(type -> type.getSimpleName().equals("package-info")))
                .isNotEmpty()
                .allSatisfy(info ->
                        assertThat(info.isAnnotatedWith(NullMarked.class)).isTrue());
    }

    @Test
    void theRuleSeesWhatItForbids() {
        // Given
        PackageTable strict = PackageTable.read("dev.tulle.conformance.architecture.sample", """
                shell | edge | | netty
                pure  | pure | |
                """);
        JavaClasses samples = new ClassFileImporter().importPackages("dev.tulle.conformance.architecture.sample");
        String sample = "dev.tulle.conformance.architecture.sample.";
        // When
        List<String> violations = strict.violations(samples);
        // Then
        assertThat(violations)
                .containsExactly(
                        sample + "loose.Stray is in a package without a row in the table",
                        sample + "loose.package-info is in a package without a row in the table",
                        sample + "pure.ReadsTheClock knows java.net.URI",
                        sample + "pure.ReadsTheClock knows java.util.concurrent.ThreadLocalRandom",
                        sample + "pure.ReadsTheClock, which is pure, calls java.lang.System.nanoTime",
                        sample + "pure.ReadsTheClock, which is pure, calls java.time.Instant.now",
                        sample + "pure.SeesTheShell knows " + sample + "shell.OpensNothing",
                        sample + "shell.OpensNothing knows com.google.re2j.Pattern");
    }

    @Test
    void theTableCannotSayACycle() {
        assertThatThrownBy(() -> PackageTable.read("dev.tulle", "a | pure | b |\nb | pure | a |"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("'b' does not stand above: a | pure | b |");
    }
}
