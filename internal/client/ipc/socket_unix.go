//go:build unix

package ipc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// Group may use the daemon, beside root, where it exists.
const Group = "skyconnect"

// Listen makes the daemon's socket. Its directory belongs to root; the socket is
// for root and, where there is one, the group alone. A socket that nobody
// answers on is replaced.
func Listen(path string) (net.Listener, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("the daemon's directory: %w", err)
	}
	if err := own(dir); err != nil {
		return nil, err
	}
	if c, err := net.Dial("unix", path); err == nil {
		_ = c.Close()
		return nil, fmt.Errorf("a daemon listens on %s already", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the former socket: %w", err)
	}
	old := syscall.Umask(0o177) // nobody else can open it before its mode is set
	l, err := net.Listen("unix", path)
	syscall.Umask(old)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", path, err)
	}
	if g, err := user.LookupGroup(Group); err == nil {
		gid, _ := strconv.Atoi(g.Gid)
		if err := errors.Join(os.Chown(path, -1, gid), os.Chmod(path, 0o660)); err != nil {
			return nil, errors.Join(fmt.Errorf("giving the socket to %s: %w", Group, err), l.Close())
		}
	}
	return l, nil
}

// own refuses a directory in which somebody else could put another socket.
func own(dir string) error {
	i, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("the daemon's directory: %w", err)
	}
	s, ok := i.Sys().(*syscall.Stat_t)
	if !ok || !i.IsDir() || int(s.Uid) != os.Geteuid() || i.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s is not a directory of this user alone", dir)
	}
	return nil
}

func dial(ctx context.Context, path string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "unix", path)
}

// peer is who opened the connection.
func peer(conn net.Conn) (User, error) {
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return User{}, errors.New("ipc: not a socket of this machine")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return User{}, err
	}
	var uid uint32
	var inner error
	if err := raw.Control(func(fd uintptr) { uid, inner = peerUID(int(fd)) }); err != nil || inner != nil {
		return User{}, errors.Join(err, inner)
	}
	return User{ID: strconv.FormatUint(uint64(uid), 10), Admin: uid == 0}, nil
}
