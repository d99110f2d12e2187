package dev.tulle.controller.discovery;

import dev.tulle.proxy.model.DestinationKey;

/** What a message to a proxy is about; of two waiting messages about the same thing only the newer one matters. */
sealed interface Slot {
    /** The trust bundle. */
    record Trust() implements Slot {
        @Override
        public String toString() {
            return "trust";
        }
    }

    /** The proxy's own side. */
    record Own() implements Slot {
        @Override
        public String toString() {
            return "workload";
        }
    }

    /** A destination it watches. */
    record Watched(DestinationKey key) implements Slot {
        @Override
        public String toString() {
            return key.toString();
        }
    }
}
