package dev.tulle.conformance.smi.harness;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.MethodDescriptor;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.MethodOrdererContext;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContextProvider;

/** Runs a {@link Case} once for each of its versions, and orders the cases of a group by their ids. */
public final class CaseRunner implements TestTemplateInvocationContextProvider, MethodOrderer {
    @Override
    public boolean supportsTestTemplate(ExtensionContext context) {
        return context.getRequiredTestMethod().isAnnotationPresent(Case.class);
    }

    @Override
    public Stream<TestTemplateInvocationContext> provideTestTemplateInvocationContexts(ExtensionContext context) {
        Case what = context.getRequiredTestMethod().getAnnotation(Case.class);
        return Arrays.stream(what.versions()).map(Invocation::new);
    }

    @Override
    public void orderMethods(MethodOrdererContext context) {
        context.getMethodDescriptors().sort(Comparator.comparing(CaseRunner::id));
    }

    private static String id(MethodDescriptor method) {
        return method.findAnnotation(Case.class).map(Case::id).orElse("");
    }

    /** Its display name is the version: the listener reads it there. */
    private record Invocation(String version) implements TestTemplateInvocationContext, ParameterResolver {
        @Override
        public String getDisplayName(int invocationIndex) {
            return version;
        }

        @Override
        public List<Extension> getAdditionalExtensions() {
            return new ArrayList<>(List.of(this));
        }

        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            Class<?> type = parameter.getParameter().getType();
            return type == String.class || type == Measured.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == String.class ? version : new Measured(context);
        }
    }
}
