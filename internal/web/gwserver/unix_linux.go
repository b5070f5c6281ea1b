package gwserver

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"syscall"
)

// ListenUnix listens on a socket at path, mode 0660, and accepts only
// connections of processes that run as one of the users (the kernel tells).
// Users and groups beside give the socket's own permissions to whom they like;
// the check holds all the same.
func ListenUnix(path string, log *slog.Logger, users ...int) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("removing the old socket: %w", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listening for the gateway: %w", err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		return nil, errors.Join(fmt.Errorf("guarding the socket: %w", err), l.Close())
	}
	return &guarded{l, log, users}, nil
}

type guarded struct {
	*net.UnixListener
	log   *slog.Logger
	users []int
}

// Accept returns the next connection of an allowed user and closes all others.
func (g *guarded) Accept() (net.Conn, error) {
	for {
		c, err := g.AcceptUnix()
		if err != nil {
			return nil, err
		}
		uid, err := peer(c)
		if err == nil && slices.Contains(g.users, uid) {
			return c, nil
		}
		g.log.Warn("a stranger connected to the gateway's socket", "uid", uid, "error", err)
		_ = c.Close()
	}
}

func peer(c *net.UnixConn) (uid int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	var cred *syscall.Ucred
	var inner error
	err = raw.Control(func(fd uintptr) {
		cred, inner = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err := errors.Join(err, inner); err != nil {
		return -1, err
	}
	return int(cred.Uid), nil
}
