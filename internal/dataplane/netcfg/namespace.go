package netcfg

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// namespaceDir is where named namespaces are mounted, as ip-netns(8) does.
const namespaceDir = "/run/netns"

// within runs f on a thread of its own inside ns. A thread that cannot return
// to its namespace is given up with its goroutine.
func within(ns netns.NsHandle, f func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		home, err := netns.Get()
		if err != nil {
			result <- fmt.Errorf("reading the thread's namespace: %w", err)
			return // locked: the thread ends with the goroutine
		}
		defer func() { _ = home.Close() }()
		if err := netns.Set(ns); err != nil {
			result <- fmt.Errorf("entering the namespace: %w", err)
			return
		}
		err = f()
		if netns.Set(home) == nil {
			runtime.UnlockOSThread()
		}
		result <- err
	}()
	return <-result
}

// openNamespace opens the named namespace, making it where there is none. A
// file without a namespace behind it (its mount died with its maker) is
// replaced.
func openNamespace(name string) (netns.NsHandle, error) {
	path := filepath.Join(namespaceDir, name)
	if isNamespace(path) {
		return netns.GetFromPath(path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return netns.None(), fmt.Errorf("removing stale %s: %w", path, err)
	}
	return makeNamespace(name)
}

func makeNamespace(name string) (netns.NsHandle, error) {
	type made struct {
		ns  netns.NsHandle
		err error
	}
	result := make(chan made, 1)
	go func() {
		runtime.LockOSThread() // NewNamed moves the thread; it ends with the goroutine
		ns, err := netns.NewNamed(name)
		result <- made{ns, err}
	}()
	m := <-result
	if m.err != nil {
		return netns.None(), fmt.Errorf("making namespace %s: %w", name, m.err)
	}
	return m.ns, nil
}

func isNamespace(path string) bool {
	var st unix.Statfs_t
	return unix.Statfs(path, &st) == nil && st.Type == unix.NSFS_MAGIC
}

func removeNamespace(name string) error {
	path := filepath.Join(namespaceDir, name)
	if isNamespace(path) {
		if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmounting namespace %s: %w", name, err)
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing namespace %s: %w", name, err)
	}
	return nil
}

// setAddressing switches IPv6 on in the calling thread's namespace, whatever
// the host's default is. No router's word changes addresses or routes there.
func setAddressing() error {
	return setAll([]setting{
		{"ipv6/conf/all/disable_ipv6", "0"},
		{"ipv6/conf/default/disable_ipv6", "0"},
		{"ipv6/conf/all/accept_ra", "0"},
		{"ipv6/conf/default/accept_ra", "0"},
	})
}

// setForwarding switches routing on in the calling thread's namespace.
// Redirects are off: clients of one pool talk through the gateway.
func setForwarding() error {
	return setAll([]setting{
		{"ipv4/ip_forward", "1"},
		{"ipv4/conf/all/send_redirects", "0"},
		{"ipv4/conf/" + TunnelLink + "/send_redirects", "0"},
		{"ipv6/conf/all/forwarding", "1"},
	})
}

// setting is a sysctl below net.
type setting struct{ key, value string }

func setAll(all []setting) error {
	for _, s := range all {
		path := "/proc/sys/net/" + s.key
		if have, err := os.ReadFile(path); err == nil && string(have) == s.value+"\n" {
			continue
		}
		err := os.WriteFile(path, []byte(s.value), 0)
		if err != nil && !errors.Is(err, os.ErrNotExist) { // IPv6 may be off
			return fmt.Errorf("setting %s: %w", s.key, err)
		}
	}
	return nil
}
