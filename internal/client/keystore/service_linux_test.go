package keystore

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
)

// service is a stand-in for the desktop's key store: the Secret Service of the
// specification on a bus of its own, with a collection that may be locked.
type service struct {
	address string
	conn    *dbus.Conn

	mu      sync.Mutex
	items   map[dbus.ObjectPath]*item
	next    int
	locked  bool
	dismiss bool // what the person does with a question
	prompts int
}

type item struct {
	service    *service
	path       dbus.ObjectPath
	attributes map[string]string
	secret     ssSecret
}

const theCollection = dbus.ObjectPath("/org/freedesktop/secrets/collection/default")

func startService(t *testing.T) *service {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address",
		"--address=unix:path="+filepath.Join(t.TempDir(), "bus"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	s := &service{address: strings.TrimSpace(line), items: map[dbus.ObjectPath]*item{}}
	s.serve(t)
	return s
}

func (s *service) serve(t *testing.T) {
	t.Helper()
	conn, err := dbus.Connect(s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	s.conn = conn
	for _, err := range []error{
		conn.Export(s, ssPath, "org.freedesktop.Secret.Service"),
		conn.Export(collection{s}, theCollection, "org.freedesktop.Secret.Collection"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if reply, err := conn.RequestName(ssName, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("got %v, %v", reply, err)
	}
}

func (s *service) OpenSession(algorithm string, _ dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
	if algorithm != "plain" {
		return dbus.Variant{}, "/", dbus.MakeFailedError(errors.New("not supported"))
	}
	return dbus.MakeVariant(""), "/org/freedesktop/secrets/session/1", nil
}

func (s *service) ReadAlias(string) (dbus.ObjectPath, *dbus.Error) { return theCollection, nil }

func (s *service) Unlock(objects []dbus.ObjectPath) ([]dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.locked {
		return objects, "/", nil
	}
	s.prompts++
	path := dbus.ObjectPath(fmt.Sprint("/org/freedesktop/secrets/prompt/", s.prompts))
	return nil, path, dbusError(s.conn.Export(prompt{s, path}, path, ssPrompt))
}

func dbusError(err error) *dbus.Error {
	if err == nil {
		return nil
	}
	return dbus.MakeFailedError(err)
}

type prompt struct {
	*service
	path dbus.ObjectPath
}

func (p prompt) Prompt(string) *dbus.Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.dismiss {
		p.locked = false
	}
	return dbusError(p.conn.Emit(p.path, ssPrompt+".Completed", p.dismiss, dbus.MakeVariant("")))
}

func (s *service) SearchItems(by map[string]string) (unlocked, locked []dbus.ObjectPath, _ *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []dbus.ObjectPath
	for path, i := range s.items {
		if matches(i.attributes, by) {
			found = append(found, path)
		}
	}
	if s.locked {
		return nil, found, nil
	}
	return found, nil, nil
}

func matches(has, wanted map[string]string) bool {
	for k, v := range wanted {
		if has[k] != v {
			return false
		}
	}
	return true
}

type collection struct{ *service }

func (c collection) CreateItem(properties map[string]dbus.Variant, secret ssSecret, replace bool) (dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.locked {
		return "/", "/", dbus.NewError("org.freedesktop.Secret.Error.IsLocked", nil)
	}
	var attributes map[string]string
	if err := properties[ssItem+"Attributes"].Store(&attributes); err != nil {
		return "/", "/", dbus.MakeFailedError(err)
	}
	for path, i := range c.items {
		if replace && maps.Equal(i.attributes, attributes) {
			i.secret = secret
			return path, "/", nil
		}
	}
	c.next++
	i := &item{c.service, dbus.ObjectPath(fmt.Sprint(theCollection, "/", c.next)), attributes, secret}
	c.items[i.path] = i
	if err := c.conn.Export(i, i.path, "org.freedesktop.Secret.Item"); err != nil {
		return "/", "/", dbus.MakeFailedError(err)
	}
	return i.path, "/", dbusError(c.conn.Export(itemProperties{i}, i.path, "org.freedesktop.DBus.Properties"))
}

func (i *item) GetSecret(dbus.ObjectPath) (ssSecret, *dbus.Error) {
	i.service.mu.Lock()
	defer i.service.mu.Unlock()
	if i.service.locked {
		return ssSecret{}, dbus.NewError("org.freedesktop.Secret.Error.IsLocked", nil)
	}
	return i.secret, nil
}

func (i *item) Delete() (dbus.ObjectPath, *dbus.Error) {
	i.service.mu.Lock()
	defer i.service.mu.Unlock()
	delete(i.service.items, i.path)
	return "/", nil
}

type itemProperties struct{ i *item }

func (p itemProperties) Get(_, name string) (dbus.Variant, *dbus.Error) {
	p.i.service.mu.Lock()
	defer p.i.service.mu.Unlock()
	switch name {
	case "Attributes":
		return dbus.MakeVariant(p.i.attributes), nil
	case "Modified":
		return dbus.MakeVariant(uint64(now.Unix())), nil
	}
	return dbus.Variant{}, dbus.MakeFailedError(errors.New("no such property"))
}

func (s *service) set(locked, dismiss bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.locked, s.dismiss = locked, dismiss
}

func TestALockedKeyStoreAsksThePerson(t *testing.T) {
	s := startService(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", s.address)
	k := opened(t, deps(t), SecretService)
	s.set(true, true)
	if err := k.SetPrivateKey("prf_a", []byte("key")); !errors.Is(err, ErrDismissed) {
		t.Errorf("dismissed: got %v", err)
	}
	if all, err := k.store.List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("got %v, %v", all, err)
	}
	s.set(true, false)
	if err := k.SetPrivateKey("prf_a", []byte("key")); err != nil {
		t.Errorf("unlocked: got %v", err)
	}
	s.set(true, true)
	if all, err := k.store.List(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("a locked one is listed too: got %v, %v", all, err)
	}
	if _, err := k.PrivateKey(t.Context(), "prf_a"); !errors.Is(err, ErrDismissed) {
		t.Errorf("reading, dismissed: got %v", err)
	}
	if err := k.Forget("prf_a"); !errors.Is(err, ErrDismissed) {
		t.Errorf("deleting, dismissed: got %v", err)
	}
}

func TestWithoutAKeyStoreTheOtherPlacesAreTold(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	for name, address := range map[string]string{"no bus": "", "a bus that is gone": "unix:path=" + filepath.Join(t.TempDir(), "bus"), "no address": "nonsense"} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
		if _, err := Open(t.Context(), deps(t), ""); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	s := startService(t)
	if _, err := s.conn.ReleaseName(ssName); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", s.address)
	if _, err := Open(t.Context(), deps(t), ""); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a bus without a key store: got %v", err)
	}
}

// TestEveryPlaceKeepsItsPromise runs the same story in each place.
func TestEveryPlaceKeepsItsPromise(t *testing.T) {
	for _, place := range []Place{SealedFile, PlainFile, SecretService} {
		t.Run(string(place), func(t *testing.T) {
			if place == SecretService {
				t.Setenv("DBUS_SESSION_BUS_ADDRESS", startService(t).address)
			}
			story(t, opened(t, deps(t), place))
		})
	}
}
