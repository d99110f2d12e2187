package dev.tulle.controller.inject;

import static java.util.Objects.requireNonNull;

import java.util.List;

/** What becomes of a pod at admission. */
public sealed interface Decision {
    /**
     * It gets a proxy.
     *
     * @param tuning what its annotations and those of its namespace ask for
     * @param warnings sentences for whoever wrote the pod
     */
    record Inject(Tuning tuning, List<String> warnings) implements Decision {
        public Inject {
            requireNonNull(tuning, "tuning");
            warnings = List.copyOf(warnings);
        }
    }

    /**
     * It stays as it is.
     *
     * @param sentence why, for people
     */
    record Skip(Reason reason, String sentence) implements Decision {
        public Skip {
            requireNonNull(reason, "reason");
            requireNonNull(sentence, "sentence");
        }

        /** Whether somebody should hear of it: the namespace asks for proxies and this pod can have none. */
        public boolean isUnexpected() {
            return switch (reason) {
                case HOST_NETWORK, WINDOWS, STATIC -> true;
                case NOT_ASKED, DISABLED, INJECTED -> false;
            };
        }
    }

    /**
     * It must not start: what its author asks for cannot be done.
     *
     * @param problems at least one; each a sentence that names place, value and cure
     */
    record Refuse(List<String> problems) implements Decision {
        public Refuse {
            problems = List.copyOf(problems);
            if (problems.isEmpty()) {
                throw new IllegalArgumentException("refused without a problem");
            }
        }

        /** All of it in one line. */
        public String message() {
            return String.join("; ", problems);
        }
    }

    /** Why a pod is left as it is; also a label of the counter. */
    enum Reason {
        /** Neither the pod nor its namespace asks for a proxy. */
        NOT_ASKED,
        /** The pod's own label says disabled. */
        DISABLED,
        /** Our containers are there already. */
        INJECTED,
        /** It shares the node's network, whose traffic is not ours to redirect. */
        HOST_NETWORK,
        /** It runs on Windows. */
        WINDOWS,
        /** It is the image of a file on a node. */
        STATIC
    }
}
