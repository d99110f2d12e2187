package dev.tulle.conformance.smi.harness;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Names a class of cases that share a {@link Stage}. Groups run side by side, the cases of one after the other in the order of their ids. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
public @interface Group {
    /** As in {@code --only}: lower case with dashes. */
    String value();

    /** Whether its cases look at traffic, so that they need a mesh; those of others need the SMI API only. */
    boolean traffic() default true;

    /** Of the published suite: its cases are steps that build upon each other. */
    boolean published() default false;
}
