package user

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/keystore"
	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

// server counts who comes, and says nothing.
func server(t *testing.T) (addr string, visits func() int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := make(chan int, 1)
	n <- 0
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n <- <-n + 1
			_ = c.Close()
		}
	}()
	return l.Addr().String(), func() int { v := <-n; n <- v; return v }
}

// asked answers permissions and counts the questions.
type asked struct {
	yes bool
	n   int
}

func (a *asked) permission(policy.Permission) (bool, error) { a.n++; return a.yes, nil }

func home(t *testing.T, a *asked, daemon ipc.Handler) (*Home, profile.Profile, func() int) {
	t.Helper()
	addr, visits := server(t)
	socket := filepath.Join(t.TempDir(), "run", "s")
	if daemon != nil {
		l, err := ipc.Listen(socket)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); _ = ipc.Serve(ctx, l, daemon) }()
		t.Cleanup(func() { cancel(); <-done })
	}
	h, err := Open(filepath.Join(t.TempDir(), "home"), socket, keystore.PlainFile, Person{Permission: a.permission})
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.Profiles.Add(bundle.Profile{Name: "office", Server: addr, Account: "alice", Options: bundle.Options{DTLS: true}})
	if err != nil {
		t.Fatal(err)
	}
	return h, p, visits
}

func (h *Home) decide(t *testing.T, act policy.Decision) {
	t.Helper()
	text, _, err := h.Policy.InForce(policy.BuiltIn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Policy.Record(act, text, "en"); err != nil {
		t.Fatal(err)
	}
}

// TestNothingLeavesBeforeTheAct: TY-0a. Neither a login nor a diagnosis reaches the
// server, until the policy is accepted.
func TestNothingLeavesBeforeTheAct(t *testing.T) {
	h, p, visits := home(t, &asked{yes: true}, nil)
	var pending *PendingError
	if _, err := h.Login(t.Context(), p, Given{}); !errors.As(err, &pending) || !errors.Is(err, policy.ErrNotAccepted) {
		t.Errorf("login: got %v", err)
	}
	if _, _, err := h.Target(t.Context(), &p); !errors.As(err, &pending) {
		t.Errorf("diagnosis: got %v", err)
	}
	h.decide(t, policy.Refuse)
	if _, err := h.Login(t.Context(), p, Given{}); !errors.As(err, &pending) {
		t.Errorf("login after a refusal: got %v", err)
	}
	if n := visits(); n != 0 {
		t.Errorf("the server was visited %d times", n)
	}
	h.decide(t, policy.Accept)
	if _, err := h.Login(t.Context(), p, Given{}); err == nil || errors.As(err, &pending) {
		t.Errorf("login after the act: got %v", err)
	}
	if visits() == 0 {
		t.Error("the server was not visited after the act")
	}
}

// TestThePasswordIsWiped: TY-2.2c, whatever comes of the login.
func TestThePasswordIsWiped(t *testing.T) {
	h, p, _ := home(t, &asked{yes: true}, nil)
	for _, accepted := range []bool{false, true} {
		if accepted {
			h.decide(t, policy.Accept)
		}
		secret := []byte("correct horse")
		if _, err := h.Login(t.Context(), p, Given{Password: secret}); err == nil {
			t.Fatal("logged in at a server that says nothing")
		}
		if !bytes.Equal(secret, make([]byte, len(secret))) {
			t.Errorf("accepted %v: the password is still there", accepted)
		}
	}
}

// TestARefusedNetworkStopsConnectionsAlone: TY-2.6. Who refuses the network is not
// asked again, cannot connect, and has all that is on this machine.
func TestARefusedNetworkStopsConnectionsAlone(t *testing.T) {
	a := &asked{}
	h, p, visits := home(t, a, nil)
	h.decide(t, policy.Accept)
	for range 3 {
		if _, err := h.Login(t.Context(), p, Given{}); !errors.Is(err, policy.ErrPermissionRefused) {
			t.Errorf("got %v", err)
		}
	}
	if a.n != 1 || visits() != 0 {
		t.Errorf("asked %d times, visited %d times", a.n, visits())
	}
	if _, err := h.Dir.Held(t.Context()); err != nil {
		t.Errorf("what is stored: %v", err)
	}
	if _, _, err := h.Policy.InForce(policy.BuiltIn); err != nil {
		t.Errorf("the policy: %v", err)
	}
	if _, err := h.Profiles.Change("office", func(p *bundle.Profile) { p.Options.DTLS = false }); err != nil {
		t.Errorf("profiles: %v", err)
	}
}

// TestAWithdrawalTakesConnectionsDown: TY-6.4. What rests on the consent ends with
// it, and nothing else does.
func TestAWithdrawalTakesConnectionsDown(t *testing.T) {
	var down []string
	h, p, visits := home(t, &asked{yes: true}, func(_ context.Context, _ ipc.User, r ipc.Request, _ func(ipc.Answer) error) error {
		if r.Op == ipc.OpDown {
			down = append(down, r.Profile)
		}
		return nil
	})
	h.decide(t, policy.Accept)
	permit, digest, err := h.Permit(p)
	if err != nil || len(digest) != 64 || permit.Allows() != nil {
		t.Fatalf("got %v, %q", err, digest)
	}
	if _, err := h.Withdraw(t.Context(), policy.BuiltIn, "en"); err != nil {
		t.Fatal(err)
	}
	if len(down) != 1 || down[0] != p.ID {
		t.Errorf("taken down: %v, want %s", down, p.ID)
	}
	if permit.Allows() == nil {
		t.Error("a permit outlives the consent")
	}
	if _, err := h.Login(t.Context(), p, Given{}); !errors.Is(err, policy.ErrWithdrawn) {
		t.Errorf("login: got %v", err)
	}
	if visits() != 0 {
		t.Error("the server was visited")
	}
	if all, _, err := h.Profiles.All(); err != nil || len(all) != 1 {
		t.Errorf("profiles: got %v, %v", all, err)
	}
}

func TestASecondConnectionIsNotBegun(t *testing.T) {
	var h *Home
	var p profile.Profile
	var visits func() int
	h, p, visits = home(t, &asked{yes: true}, func(_ context.Context, _ ipc.User, _ ipc.Request, send func(ipc.Answer) error) error {
		return send(ipc.Answer{Status: &ipc.Status{Connections: []ipc.Connection{{Profile: p.ID, State: ipc.Connected}}}})
	})
	h.decide(t, policy.Accept)
	if err := h.Up(t.Context(), p, Given{}, func(ipc.Connection) {}); !errors.Is(err, ipc.ErrBusy) {
		t.Errorf("got %v", err)
	}
	if visits() != 0 {
		t.Error("logged in all the same")
	}
}

// TestWhoLeavesIsLedToTheConsole: TY-6.3. The client cancels no account; it says where
// that is done, for each operator once.
func TestWhoLeavesIsLedToTheConsole(t *testing.T) {
	h, _, _ := home(t, &asked{}, nil)
	consoles := func() []string {
		t.Helper()
		all, _, err := h.Profiles.All()
		if err != nil {
			t.Fatal(err)
		}
		return Consoles(all)
	}
	if got := consoles(); len(got) != 0 {
		t.Errorf("a server without a console: got %v", got)
	}
	for i, console := range []string{"https://a.example", "https://b.example", "https://a.example"} {
		p := bundle.Profile{Name: fmt.Sprint("p", i), Server: "vpn.example.com:443", Links: bundle.Links{Console: console}}
		if _, err := h.Profiles.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	if got := consoles(); !slices.Equal(got, []string{"https://a.example", "https://b.example"}) {
		t.Errorf("got %v", got)
	}
}

func TestErasingLeavesNothing(t *testing.T) {
	h, _, _ := home(t, &asked{yes: true}, nil)
	h.decide(t, policy.Accept)
	if err := h.Erase(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all, err := os.ReadDir(h.Dir.Root()); err == nil && len(all) > 0 {
		t.Errorf("left %v", all)
	}
}
