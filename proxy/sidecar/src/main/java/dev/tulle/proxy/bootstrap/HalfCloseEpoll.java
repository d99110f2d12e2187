package dev.tulle.proxy.bootstrap;

import io.netty.channel.IoHandle;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.IoOps;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollIoOps;

/**
 * Epoll that can go on with a socket it had lost all interest in.
 *
 * <p>When a peer ends its side while reads are off, Netty 4.2.18 wants no event at all of the socket, takes it out of the epoll set,
 * and later changes it there as if it still were in: ENOENT, and the connection is closed with bytes unread. So a registration that
 * was emptied is made anew here when there is something to wait for again. Checked by {@code HalfCloseEpollTest}; can go when that
 * passes without it.
 */
final class HalfCloseEpoll implements IoHandler {
    /** What Netty's own registrations answer once they are cancelled. */
    private static final long NOT_SUBMITTED = -1;

    private final IoHandler epoll;

    private HalfCloseEpoll(IoHandler epoll) {
        this.epoll = epoll;
    }

    static IoHandlerFactory newFactory() {
        IoHandlerFactory plain = EpollIoHandler.newFactory();
        return executor -> new HalfCloseEpoll(plain.newHandler(executor));
    }

    /** Everything but an emptied registration is left to Netty. On the event loop, as Netty's own is. */
    private final class Registration implements IoRegistration {
        private final IoHandle handle;
        private IoRegistration current;
        private boolean emptied;

        Registration(IoHandle handle) throws Exception {
            this.handle = handle;
            this.current = epoll.register(handle);
        }

        @Override
        @SuppressWarnings("TypeParameterUnusedInFormals") // Netty's signature
        public <T> T attachment() {
            return current.attachment();
        }

        @Override
        public long submit(IoOps ops) {
            if (isClosed()) {
                // Its number may be another socket's already, whose registration would be changed or lost.
                return NOT_SUBMITTED;
            }
            boolean empty = ops instanceof EpollIoOps wanted && wanted.value() == 0;
            if (emptied && !empty) {
                current.cancel();
                try {
                    current = epoll.register(handle);
                } catch (Exception e) {
                    throw new IllegalStateException("a socket cannot be registered with epoll again", e);
                }
            }
            emptied = empty;
            return current.submit(ops);
        }

        private boolean isClosed() {
            return !isValid()
                    || (handle instanceof EpollIoHandle socket && !socket.fd().isOpen());
        }

        @Override
        public boolean isValid() {
            return current.isValid();
        }

        @Override
        public boolean cancel() {
            return current.cancel();
        }
    }

    @Override
    public IoRegistration register(IoHandle handle) throws Exception {
        return new Registration(handle);
    }

    @Override
    public void initialize() {
        epoll.initialize();
    }

    @Override
    public int run(IoHandlerContext context) {
        return epoll.run(context);
    }

    @Override
    public void prepareToDestroy() {
        epoll.prepareToDestroy();
    }

    @Override
    public void destroy() {
        epoll.destroy();
    }

    @Override
    public void wakeup() {
        epoll.wakeup();
    }

    @Override
    public boolean isCompatible(Class<? extends IoHandle> handleType) {
        return epoll.isCompatible(handleType);
    }
}
