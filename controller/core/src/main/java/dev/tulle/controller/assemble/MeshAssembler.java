package dev.tulle.controller.assemble;

import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.resources.MeshSettings;
import dev.tulle.controller.resources.Resources;
import java.util.TreeMap;

/** Makes the mesh of what was read; resolves every reference and reports those that lead nowhere. */
public final class MeshAssembler {
    private MeshAssembler() {}

    /** The mesh of these resources and everything wrong with them. Pure. */
    public static Assembled assemble(Resources resources) {
        Mesh mesh = new Mesh(
                resources.settings().trustDomain().orElse(MeshSettings.DEFAULT_TRUST_DOMAIN),
                resources.settings().networks(),
                new TreeMap<>(),
                new TreeMap<>());
        return new Assembled(mesh, resources.problems());
    }
}
