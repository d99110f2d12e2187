package dev.tulle.controller.inject;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Random;
import org.junit.jupiter.api.Test;

class JsonPatchTest {
    private static final JsonMapper JSON = new JsonMapper();

    @Test
    void saysNothingOfEqualTrees() throws IOException {
        assertThat(JsonPatch.between(tree("{'a':[1,{'b':2}]}"), tree("{'a':[1,{'b':2}]}")))
                .isEmpty();
    }

    @Test
    void namesOnlyWhatDiffers() throws IOException {
        JsonNode before = tree("{'a':{'x/y':1,'z':[{'name':'c'}]},'k':true,'gone':1}");
        JsonNode after = tree("{'a':{'x/y':2,'z':[{'name':'p'},{'name':'c','new':1}]},'k':true,'~':0}");

        assertThat(JsonPatch.between(before, after))
                .map(JsonNode::toString)
                .containsExactly(
                        "{\"op\":\"replace\",\"path\":\"/a/x~1y\",\"value\":2}",
                        "{\"op\":\"add\",\"path\":\"/a/z/0\",\"value\":{\"name\":\"p\"}}",
                        "{\"op\":\"add\",\"path\":\"/a/z/1/new\",\"value\":1}",
                        "{\"op\":\"remove\",\"path\":\"/gone\"}",
                        "{\"op\":\"add\",\"path\":\"/~0\",\"value\":0}");
    }

    @Test
    void leadsFromAnyTreeToAnyOther() {
        Random random = new Random(7);
        for (int i = 0; i < 5000; i++) {
            JsonNode before = anything(random, 4);
            JsonNode after = anything(random, 4);
            assertThat(applied(before, JsonPatch.between(before, after)))
                    .as("%s to %s", before, after)
                    .isEqualTo(after);
        }
    }

    /** A patch carried out as the API server does. */
    static JsonNode applied(JsonNode before, ArrayNode patch) {
        JsonNode root = before.deepCopy();
        for (JsonNode step : patch) {
            JsonPointer path = JsonPointer.compile(step.path("path").asText());
            String op = step.path("op").asText();
            if (path.matches()) {
                root = step.path("value").deepCopy();
                continue;
            }
            String last = path.last().getMatchingProperty();
            switch (root.at(path.head())) {
                case ObjectNode parent when op.equals("remove") -> parent.remove(last);
                case ObjectNode parent -> parent.set(last, step.path("value"));
                case ArrayNode parent
                when op.equals("add") -> parent.insert(Integer.parseInt(last), step.path("value"));
                case ArrayNode parent
                when op.equals("replace") -> parent.set(Integer.parseInt(last), step.path("value"));
                case ArrayNode parent -> parent.remove(Integer.parseInt(last));
                default -> throw new AssertionError("nothing at " + path.head());
            }
        }
        return root;
    }

    private static JsonNode anything(Random random, int depth) {
        int choice = random.nextInt(depth > 0 ? 5 : 3);
        if (choice < 3) {
            return JsonNodeFactory.instance.numberNode(choice);
        }
        if (choice == 3) {
            ArrayNode list = JsonNodeFactory.instance.arrayNode();
            for (int i = random.nextInt(4); i > 0; i--) {
                list.add(anything(random, depth - 1));
            }
            return list;
        }
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        for (int i = random.nextInt(4); i > 0; i--) {
            object.set(random.nextBoolean() ? "name" : "k/~" + i, anything(random, depth - 1));
        }
        return object;
    }

    private static JsonNode tree(String text) throws IOException {
        return JSON.readTree(text.replace('\'', '"'));
    }
}
