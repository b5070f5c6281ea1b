package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"
)

// errNoWindow says that the window, a program of its own, is not installed.
var errNoWindow = errors.New("the window is a program of its own, skyconnect-window, which is not installed here")

func (o *options) window() *cobra.Command {
	return &cobra.Command{
		Use: "window", Short: "Open the window", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			self, err := os.Executable()
			if err != nil {
				return err
			}
			path, err := exec.LookPath(filepath.Join(filepath.Dir(self), "skyconnect-window")) // which knows the ends of names
			if err != nil {
				if path, err = exec.LookPath("skyconnect-window"); err != nil {
					return errNoWindow
				}
			}
			c := exec.Command(path) //nolint:gosec // our own program
			c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
			c.Env = append(os.Environ(), "SKYCONNECT_DIR="+o.dir, "SKYCONNECT_SOCKET="+o.socket)
			return c.Run()
		},
	}
}
