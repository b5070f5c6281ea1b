package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/client/update"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
)

func (o *options) update() *cobra.Command {
	check, undo, url, rootFile := false, false, "", ""
	c := &cobra.Command{
		Use: "update [PROFILE]", Short: "Look for a newer release, and install it", Args: cobra.MaximumNArgs(1), ValidArgsFunction: o.profileNames,
		Long: "Look for a newer release where the profile's operator serves them, and install it. Its signatures are checked; before it is installed you are asked.\n" +
			"Where they are and by which keys they are known, the profile says that your operator gave you; else say --url and --root, a file that you got\n" +
			"from them another way.",
		RunE: func(c *cobra.Command, args []string) error {
			if undo {
				self, err := os.Executable()
				if err != nil {
					return err
				}
				return update.Undo(self)
			}
			return o.with(args, func(h *user.Home, p profile.Profile) error {
				return o.renew(c, h, p, user.Source{URL: url, Root: rootFile}, check)
			})
		},
	}
	f := c.Flags()
	f.BoolVar(&check, "check", false, "only look")
	f.BoolVar(&undo, "undo", false, "put the program before the last update back")
	f.StringVar(&url, "url", "", "where releases are (default: the profile's)")
	f.StringVar(&rootFile, "root", "", "root.json of the releases' keys")
	return c
}

func (o *options) renew(c *cobra.Command, h *user.Home, p profile.Profile, from user.Source, check bool) error {
	cfg, err := h.Releases(c.Context(), p, from, &http.Client{Timeout: 10 * time.Minute})
	if errors.Is(err, user.ErrNoReleases) || errors.Is(err, user.ErrNoRoot) {
		return usagef("%s", user.Sentence(o.lang, err))
	}
	if err != nil {
		return err
	}
	cfg.Version, cfg.Install = version, func() error { return h.Permitted(policy.Updates) }
	u, err := update.New(cfg)
	if err != nil {
		return err
	}
	r, newer, err := u.Check(c.Context())
	if err != nil {
		return err
	}
	if o.json {
		if err := o.printJSON(map[string]any{"release": r, "newer": newer, "running": version}); err != nil || check || !newer {
			return err
		}
	} else {
		fmt.Fprintf(o.out, "%s  %s\nSHA-256 %s\n%s\n", r.Version, size(uint64(r.Size)), r.SHA256, user.Clean(r.Notes))
	}
	if !newer {
		fmt.Fprintln(o.out, o.say("update.newest", "version", version))
		return nil
	}
	if check {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	files, err := u.Fetch(c.Context(), r, self)
	if err != nil {
		return err
	}
	if err := u.Put(files); err != nil {
		for _, f := range files {
			if errors.Is(err, fs.ErrPermission) {
				fmt.Fprintln(o.err, o.say("update.by_root", "from", f.From, "to", f.To))
			}
		}
		return err
	}
	fmt.Fprintln(o.out, o.say("update.done", "version", r.Version))
	return nil
}
