package dev.tulle.smi.convert;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Set;

/** UDPRoute exists in v1alpha4 only. */
final class UdpRouteConversion implements Conversion {
    @Override
    public int oldest() {
        return 4;
    }

    @Override
    public int newest() {
        return 4;
    }

    @Override
    public Set<String> notesOfNewest() {
        return Set.of();
    }

    @Override
    public void toNewest(ObjectNode object, int from, Kept kept) {}

    @Override
    public void fromNewest(ObjectNode object, int to, Kept kept) {}
}
