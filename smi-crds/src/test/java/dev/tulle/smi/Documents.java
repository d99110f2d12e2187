package dev.tulle.smi;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** Documents as their authors write them. */
public final class Documents {
    private static final YAMLMapper YAML = new YAMLMapper();

    private Documents() {}

    /** One YAML document. */
    public static ObjectNode yaml(String text) {
        try {
            return (ObjectNode) YAML.readTree(text);
        } catch (JsonProcessingException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    /** An object of some kind and version, named {@code shop/it}, with what {@code body} says beside its metadata. */
    public static ObjectNode object(SmiKind kind, int version, String body) {
        return yaml("""
                apiVersion: %s
                kind: %s
                metadata: {name: it, namespace: shop}
                %s
                """.formatted(kind.apiVersion("v1alpha" + version), kind.kind(), body));
    }

    /** The custom resource definition that we ship for a kind. */
    public static JsonNode definition(SmiKind kind) {
        try (InputStream file = Documents.class.getResourceAsStream("/crds/" + kind.plural() + ".yaml")) {
            return YAML.readTree(file);
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    /** The schema of one version of a kind. */
    public static StructuralSchema schema(SmiKind kind, String version) {
        for (JsonNode each : definition(kind).path("spec").path("versions")) {
            if (each.path("name").asText().equals(version)) {
                return new StructuralSchema(each.path("schema").path("openAPIV3Schema"));
            }
        }
        throw new IllegalArgumentException("%s has no %s".formatted(kind, version));
    }
}
