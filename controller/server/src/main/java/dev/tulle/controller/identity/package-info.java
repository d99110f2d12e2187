/**
 * Who proves to be whom: the certificate authority, its state on disk, the rotation of its root, and join tokens.
 *
 * <p>What to sign and when to rotate are decided by pure values ({@link dev.tulle.controller.identity.LeafProfile}, {@link
 * dev.tulle.controller.identity.RootRotation}); {@link dev.tulle.controller.identity.CertificateAuthority} and {@link
 * dev.tulle.controller.identity.StateDirectory} do it.
 */
@NullMarked
package dev.tulle.controller.identity;

import org.jspecify.annotations.NullMarked;
