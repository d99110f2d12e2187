package dev.tulle.conformance.architecture.sample.pure;

import dev.tulle.conformance.architecture.sample.shell.OpensNothing;

/** Names a package of ours that it may not know. */
interface SeesTheShell {
    OpensNothing shell();
}
