//go:build netns

package netns

import (
	"strings"
	"syscall"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/ban"
)

// TestAGuesserIsRefusedAndTunnelsGoOn has stock openconnect try wrong passwords
// until its source is banned, beside a tunnel from the same source.
func TestAGuesserIsRefusedAndTunnelsGoOn(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.cfg.MaxBanScore = ban.DefaultMax
	l.want()
	l.startNode()
	tunnel := l.connect(password)
	tunnel.says("SCRIPT connected 10.98.0.2")
	tries := 0
	for ; tries < 2*ban.DefaultMax/ban.Failure; tries++ {
		guess := l.connect("wrong", "--cookieonly")
		guess.ended()
		if strings.Contains(l.log(guess.log), "Unexpected 503 result") {
			break
		}
		guess.says("Login failed.")
	}
	// Each try is a wrong password and a connection that came to nothing.
	if want := ban.DefaultMax / (ban.Failure + ban.Connection); tries < want || tries > want+1 {
		t.Errorf("the source was refused after %d guesses, want about %d", tries, want)
	}
	right := l.connect(password, "--cookieonly")
	right.says("Unexpected 503 result")
	right.ended()
	l.transfer(1 << 20)
	tunnel.signal(syscall.SIGUSR2)
	tunnel.says("SCRIPT reconnected 10.98.0.2")
	l.transfer(1 << 20)
	if log := l.log("node.log"); !strings.Contains(log, "logins of one source are refused") || strings.Contains(log, "198.51.100.2") {
		t.Error("the operator is not told of the ban, or is told the address")
	}
}

// TestOldClientsAnswerSeveralForms has openconnect go on without XML through a
// login of two rounds: the conversation is in the cookie alone.
func TestOldClientsAnswerSeveralForms(t *testing.T) {
	t.Parallel()
	l, _ := controlled(t)
	c := l.connect(password, "--no-xmlpost", "--no-dtls")
	c.says("GET https://" + nodeAddr + "/")
	c.says("100 % sure?")
	c.says("SCRIPT connected 10.98.0.2")
	if strings.Contains(l.log(c.log), "config-auth client=\"vpn\" type=\"auth-reply\"") {
		t.Error("got XML from a client that was told to send none")
	}
	l.transfer(1 << 20)
}
