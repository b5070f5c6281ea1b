package ipc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"time"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// The pipe of this system. Untested: it is only built.

// DefaultPath is where the daemon listens. Only administrators can make a pipe
// below this prefix, so that nobody else can pose as the daemon.
const DefaultPath = `\\.\pipe\ProtectedPrefix\Administrators\skyconnect`

// mayCall is read and write, without the right to make another instance of the
// pipe, which GENERIC_WRITE has and by which a caller could pose as the daemon.
const mayCall = windows.FILE_GENERIC_READ | windows.FILE_GENERIC_WRITE&^windows.FILE_APPEND_DATA

// access is who may open the pipe: the system and administrators, and whoever is
// logged in at this machine; nobody by the network.
var access = fmt.Sprintf("O:BAG:BAD:P(D;;GA;;;NU)(A;;GA;;;SY)(A;;GA;;;BA)(A;;0x%x;;;IU)", mayCall)

// Listen makes the daemon's pipe. It fails if somebody has one of its name.
func Listen(path string) (net.Listener, error) {
	l, err := winio.ListenPipe(path, &winio.PipeConfig{SecurityDescriptor: access})
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", path, err)
	}
	return l, nil
}

// greeting is what a caller writes first: the system names a caller only once
// something was read from it.
const greeting = '\n'

// dial lets the daemon learn who calls, and no more: it may not act as the caller.
func dial(ctx context.Context, path string) (net.Conn, error) {
	c, err := winio.DialPipeAccessImpLevel(ctx, path, mayCall, winio.PipeImpLevelIdentification)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return nil, fmt.Errorf("%w: %w", os.ErrPermission, err)
	}
	if err != nil {
		return nil, err
	}
	if _, err := c.Write([]byte{greeting}); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// peer is who opened the pipe: the user of the token that it was opened with, not
// of a process whose number another may have by now.
func peer(conn net.Conn) (User, error) {
	p, ok := conn.(interface{ Fd() uintptr })
	if !ok {
		return User{}, errors.New("ipc: not a pipe of this machine")
	}
	_ = conn.SetReadDeadline(time.Now().Add(requestTime))
	defer func() { _ = conn.SetReadDeadline(time.Time{}) }()
	var first [1]byte
	if _, err := io.ReadFull(conn, first[:]); err != nil || first[0] != greeting {
		return User{}, errors.Join(errors.New("ipc: a caller without a greeting"), err)
	}
	token, err := callerToken(windows.Handle(p.Fd()))
	if err != nil {
		return User{}, fmt.Errorf("ipc: who calls: %w", err)
	}
	defer func() { _ = token.Close() }()
	return userOf(token)
}

var impersonate = windows.NewLazySystemDLL("advapi32.dll").NewProc("ImpersonateNamedPipeClient")

// callerToken takes the caller's token on a thread that does nothing else. A
// thread that cannot become itself again ends with its goroutine.
func callerToken(pipe windows.Handle) (token windows.Token, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if ok, _, e := impersonate.Call(uintptr(pipe)); ok == 0 {
			err = e
			runtime.UnlockOSThread()
			return
		}
		err = windows.OpenThreadToken(windows.CurrentThread(), windows.TOKEN_QUERY, true, &token)
		if windows.RevertToSelf() == nil {
			runtime.UnlockOSThread()
		}
	}()
	<-done
	return token, err
}

// userOf is the token's user. An administrator is one whose token is elevated.
func userOf(token windows.Token) (User, error) {
	u, err := token.GetTokenUser()
	if err != nil {
		return User{}, fmt.Errorf("ipc: who calls: %w", err)
	}
	admins, err := windows.CreateWellKnownSid(windows.WinBuiltinAdministratorsSid)
	if err != nil {
		return User{}, fmt.Errorf("ipc: who calls: %w", err)
	}
	admin, err := enabled(token, admins)
	if err != nil {
		return User{}, fmt.Errorf("ipc: who calls: %w", err)
	}
	return User{ID: u.User.Sid.String(), Admin: admin}, nil
}

// enabled says whether a group is in a token and counts: in that of an
// administrator who is not elevated it serves only to refuse.
func enabled(token windows.Token, group *windows.SID) (bool, error) {
	groups, err := token.GetTokenGroups()
	if err != nil {
		return false, err
	}
	for _, g := range groups.AllGroups() {
		if g.Attributes&windows.SE_GROUP_ENABLED != 0 && windows.EqualSid(g.Sid, group) {
			return true, nil
		}
	}
	return false, nil
}
