// Command release makes the releases of skyconnect that operators serve: keys, and
// a TUF repository of signed files. Servers only pass its directory on.
//
//	release keys DIR                         one root key for each of N persons, a targets and an online key
//	release init REPOSITORY --keys DIR
//	release add REPOSITORY --keys DIR --version v1.2.3 --system linux-amd64 FILE
//	release add REPOSITORY --keys DIR --version v1.2.3 --system linux-amd64 --program skyconnect-window FILE
//	release refresh REPOSITORY --keys DIR    sign the timestamp again, at least once a week
package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/client/update"
	"github.com/skybridge-cloud/skybridge/internal/client/update/repository"
)

func main() {
	if err := root().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func root() *cobra.Command {
	c := &cobra.Command{Use: "release", Short: "Make signed releases of skyconnect", SilenceUsage: true, SilenceErrors: true}
	keys, threshold := "", 2
	c.PersistentFlags().StringVar(&keys, "keys", "", "directory of the keys")
	c.PersistentFlags().IntVar(&threshold, "threshold", 2, "how many root keys have to sign")
	c.AddCommand(makeKeys(), initialize(&keys, &threshold), add(&keys, &threshold), refresh(&keys, &threshold))
	return c
}

func makeKeys() *cobra.Command {
	n := 3
	c := &cobra.Command{
		Use: "keys DIR", Short: "Make keys; give each root key to another person and keep it offline", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o700); err != nil {
				return err
			}
			names := []string{"targets", "online"}
			for i := range n {
				names = append(names, fmt.Sprintf("root-%d", i+1))
			}
			for _, name := range names {
				if err := writeKey(filepath.Join(args[0], name+".pem")); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().IntVar(&n, "root", 3, "number of root keys")
	return c
}

// writeKey makes a new key; it never writes over one.
func writeKey(path string) error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: der}), f.Sync(), f.Close())
}

// readKeys reads the keys that are in a directory. Those of root may be missing
// where only releases are added.
func readKeys(dir string, threshold int) (repository.Keys, error) {
	k := repository.Keys{Threshold: threshold}
	roots, err := filepath.Glob(filepath.Join(dir, "root-*.pem"))
	if err != nil {
		return k, err
	}
	slices.Sort(roots)
	for _, path := range roots {
		one, err := readKey(path)
		if err != nil {
			return k, err
		}
		k.Root = append(k.Root, one)
	}
	if k.Targets, err = readKey(filepath.Join(dir, "targets.pem")); err != nil {
		return k, err
	}
	k.Online, err = readKey(filepath.Join(dir, "online.pem"))
	return k, err
}

func readKey(path string) (ed25519.PrivateKey, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	defer clear(b)
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("%s is not a key", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s is not a key", path) // the cause may quote it
	}
	ed, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s is not an Ed25519 key", path)
	}
	return ed, nil
}

func initialize(dir *string, threshold *int) *cobra.Command {
	return &cobra.Command{
		Use: "init REPOSITORY", Short: "Make an empty repository; 1.root.json is what clients begin to trust with", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			keys, err := readKeys(*dir, *threshold)
			if err != nil {
				return err
			}
			r, err := repository.Create(args[0], keys, time.Now())
			if err != nil {
				return err
			}
			return r.Publish(time.Now())
		},
	}
}

func add(dir *string, threshold *int) *cobra.Command {
	var what update.Custom
	c := &cobra.Command{
		Use: "add REPOSITORY FILE", Short: "Add a program and publish", Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			keys, err := readKeys(*dir, *threshold)
			if err != nil {
				return err
			}
			content, err := os.ReadFile(args[1])
			if err != nil {
				return err
			}
			r, err := repository.Open(args[0], keys)
			if err != nil {
				return err
			}
			what.At = time.Now().UTC()
			if err := r.Add(content, what); err != nil {
				return err
			}
			return r.Publish(time.Now())
		},
	}
	f := c.Flags()
	f.StringVar(&what.Version, "version", "", "such as v1.2.3")
	f.StringVar(&what.System, "system", "", "such as linux-amd64")
	f.StringVar(&what.Program, "program", update.Command, "skyconnect or skyconnect-window")
	f.StringVar(&what.Notes, "notes", "", "what is new, in a sentence")
	_ = c.MarkFlagRequired("version")
	_ = c.MarkFlagRequired("system")
	return c
}

func refresh(dir *string, threshold *int) *cobra.Command {
	return &cobra.Command{
		Use: "refresh REPOSITORY", Short: "Sign the timestamp again", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			keys, err := readKeys(*dir, *threshold)
			if err != nil {
				return err
			}
			r, err := repository.Open(args[0], keys)
			if err != nil {
				return err
			}
			return r.Refresh(time.Now())
		},
	}
}
