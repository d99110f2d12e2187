package dev.tulle.controller.webhook;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** Hears of pods that were to be meshed and cannot be; must not block. */
@FunctionalInterface
public interface LeftOut {
    /**
     * One pod.
     *
     * @param pod as it was to be made
     * @param sentence why, with the cure
     */
    void tell(String namespace, ObjectNode pod, String sentence);
}
