package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
)

// Program is the file that the daemon runs from, which an update may replace.
type Program struct {
	path    string
	running fs.FileInfo // of what runs, wherever it is now
}

// Replaced tells whether another program is at its place than the one that runs. One
// that is being put there is none yet.
func (p *Program) Replaced() bool {
	if p == nil {
		return false
	}
	now, err := os.Stat(p.path)
	return err == nil && !os.SameFile(now, p.running)
}

// Try has the program at its place say its version, which shows that it starts, and
// that it takes up what this one hands over: a former one may not. One that somebody
// else than this user and root could have put there is not run.
func (p *Program) Try(ctx context.Context) error {
	if err := p.trusted(); err != nil {
		return err
	}
	c := exec.CommandContext(ctx, p.path, "--version")
	c.Env = []string{}
	out, err := c.Output()
	if err != nil {
		return fmt.Errorf("it does not start: %w", err)
	}
	if !bytes.Contains(out, []byte(" version v")) {
		return errors.New("it does not say its version")
	}
	c = exec.CommandContext(ctx, p.path, "daemon", "--takes", strconv.Itoa(handoverVersion))
	c.Env = []string{}
	if err := c.Run(); err != nil {
		return fmt.Errorf("it does not take over connections of this one: %w", err)
	}
	return nil
}
