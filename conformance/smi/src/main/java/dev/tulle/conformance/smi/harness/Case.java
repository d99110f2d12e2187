package dev.tulle.conformance.smi.harness;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test method that is one case: one sentence of a specification, or one step of the published suite.
 *
 * <p>It runs once for each of {@link #versions()}, in their order. It may take parameters: a {@code String} is the version, a {@link Measured}
 * takes what it measured into the report. What it throws is the reason in the report; a failed assumption is a skip with its message.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ExtendWith(CaseRunner.class)
public @interface Case {
    /** Lower case with dashes, of its own within the group; the steps of published groups begin with their number, as {@code 03-traffic-default}. */
    String id();

    /** What the specification asks of a mesh, in our words: one sentence. */
    String says();

    /** Which API says it: {@code TrafficSplit}, {@code TrafficTarget}, {@code HTTPRouteGroup}, {@code TCPRoute} ... */
    String api();

    /** In which versions it says so, as {@code v1alpha4}. */
    String[] versions();

    /**
     * Empty for what the specification says. Where it is silent or ambiguous: why this reading of it is asked, so that a mesh that reads it
     * otherwise is not taken for one that breaks a sentence.
     */
    String reading() default "";
}
