package softtoken

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestTheStokenProgramAgrees compares with the program that people run. Where
// it is not installed there is nothing to compare with: the published token
// holds the format.
func TestTheStokenProgramAgrees(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("stoken")
	if err != nil {
		t.Log("stoken is not installed; only the published token was compared")
		return
	}
	begin := time.Date(2026, 11, 22, 23, 58, 31, 0, time.UTC)
	for i := range 24 {
		token := New(begin.AddDate(2, 0, i))
		if i%2 == 1 {
			token.Digits, token.Interval = 6, 30*time.Second
		}
		at := begin.Add(time.Duration(i) * 7919 * time.Second)
		out, err := exec.Command(path, "tokencode", "--token="+token.CTF(), fmt.Sprintf("--use-time=%d", at.Unix()), "--force").CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != token.Code(at) {
			t.Errorf("token %d at %s: stoken says %q (%v), we %s", i, at, got, err, token.Code(at))
		}
	}
}
