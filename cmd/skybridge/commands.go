package main

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/app"
	"github.com/skybridge-cloud/skybridge/internal/app/lab"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/slogx"
	"github.com/skybridge-cloud/skybridge/internal/platform/subcommand"
)

// options are the flags that stand over the configuration file.
type options struct {
	file, data, db, profile, listen string
	demo                            bool
	demoPorts                       int
	out, err                        io.Writer
}

func root(out, errOut io.Writer) *cobra.Command {
	o := &options{out: out, err: errOut}
	c := &cobra.Command{
		Use:           "skybridge",
		Short:         "Sell, run and lawfully operate VPNs",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       app.Version(),
	}
	f := c.PersistentFlags()
	f.StringVar(&o.file, "config", os.Getenv("SKYBRIDGE_CONFIG"), "configuration file (YAML)")
	f.StringVar(&o.data, "data", "", "directory of all state (default ./data)")
	f.StringVar(&o.db, "db", os.Getenv("SKYBRIDGE_DB"), "PostgreSQL URL instead of the embedded database")
	f.StringVar(&o.profile, "profile", "", "mainland or hongkong; chosen once")
	f.StringVar(&o.listen, "listen", "", "address of the console (default 127.0.0.1:8443)")
	f.BoolVar(&o.demo, "demo", false, "third parties are simulators on this machine; never for real customers")
	f.IntVar(&o.demoPorts, "demo-ports", 8600, "first of seven loopback ports for the simulators")
	c.AddCommand(o.serve(), o.control(), o.gateway(), o.simulators(), o.labHost(), o.migrate(), o.admin(), o.openapi(), o.demoWalk(), o.policy(), o.prove(), o.doctor(), o.backup(), o.restore(), o.legalOrder())
	subcommand.Require(c, unknownCommand)
	return c
}

// unknownCommand says what there is instead.
func unknownCommand(c *cobra.Command, word string, near []string) error {
	hint := c.CommandPath() + " --help lists what there is"
	if len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "? " + hint
	}
	return fmt.Errorf("%s has no command %q: %s", c.CommandPath(), word, hint)
}

// load reads the configuration with the flags over it and checks the whole.
func (o *options) load() (config.Config, *slog.Logger, error) {
	c, err := config.Load(o.file)
	if err != nil {
		return c, nil, err
	}
	set := func(to *string, from string) {
		if from != "" {
			*to = from
		}
	}
	set(&c.Data, o.data)
	set(&c.Database, o.db)
	set(&c.Profile, o.profile)
	if o.listen != "" {
		// An address that the file gives for browsers is not where we listen.
		if c.Console.URL == config.Default().Console.URL {
			c.Console.URL = "https://" + o.listen
		}
		c.Console.Listen = o.listen
	}
	if o.demo {
		c = demonstration(c, o.demoPorts)
	}
	if c.Data, err = filepath.Abs(c.Data); err != nil {
		return c, nil, err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		return c, nil, fmt.Errorf("log.level: choose debug, info, warn or error: %w", err)
	}
	return c, slogx.New(o.err, c.Log.Form, level), c.Validate()
}

func demonstration(c config.Config, first int) config.Config {
	port := func(n int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(first+n)) }
	c.Demo = config.Demo{Enabled: true, Lab: true, Epay: port(0), Aliyun: port(1), SMTP: port(2), Mailbox: port(3), IMAP: port(4), Alipay: port(5), WechatPay: port(6)}
	return c
}

func (o *options) serve() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Run control plane and gateway node on this host", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, log, err := o.load()
			if err != nil {
				return err
			}
			return app.Serve(cmd.Context(), c, o.out, log)
		},
	}
}

func (o *options) control() *cobra.Command {
	return &cobra.Command{
		Use: "control", Short: "Run the control plane alone", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, log, err := o.load()
			if err != nil {
				return err
			}
			if err := app.DropPrivileges(); err != nil {
				return err
			}
			return app.Control(cmd.Context(), c, o.out, log)
		},
	}
}

func (o *options) gateway() *cobra.Command {
	return &cobra.Command{
		Use: "gateway", Short: "Run a gateway node alone", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, log, err := o.load()
			if err != nil {
				return err
			}
			return app.Gateway(cmd.Context(), c, log)
		},
	}
}

func (o *options) simulators() *cobra.Command {
	return &cobra.Command{
		Use: "simulators", Short: "Run the third parties of a demonstration", Args: cobra.NoArgs, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, log, err := o.load()
			if err != nil {
				return err
			}
			if err := app.DropPrivileges(); err != nil {
				return err
			}
			return app.Simulators(cmd.Context(), c, log)
		},
	}
}

func (o *options) labHost() *cobra.Command {
	return &cobra.Command{
		Use: "lab-host", Short: "Run the web server of the demonstration's LAN host", Args: cobra.NoArgs, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return lab.ServeHost(cmd.Context(), ":80") },
	}
}

func (o *options) migrate() *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "Bring the tables of a PostgreSQL database to this version", Args: cobra.NoArgs,
		Long: "Bring the tables of a PostgreSQL database to this version.\n\nThe embedded database is migrated at start by itself; PostgreSQL only by this command, so that several control processes never race and a change of schema is your decision.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, log, err := o.load()
			if err != nil {
				return err
			}
			return app.Migrate(cmd.Context(), c, o.out, log)
		},
	}
}

func (o *options) openapi() *cobra.Command {
	return &cobra.Command{
		Use: "openapi", Short: "Print the OpenAPI description of the API", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return app.PrintOpenAPI(o.out) },
	}
}

func (o *options) demoWalk() *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "Walk the whole path through the public API of a running demonstration", Args: cobra.NoArgs,
		Long: "Walk the whole path through the public API of a running demonstration (skybridge serve --demo): register, consent, verify, order, pay, create, connect with openconnect in a namespace of its own, download 100 MB. Prints each step with its time; the exit status is 0 only if every step was ok.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.demo = true
			c, _, err := o.load()
			if err != nil {
				return err
			}
			return app.Demo(cmd.Context(), c, o.out)
		},
	}
}

func (o *options) policy() *cobra.Command {
	c := &cobra.Command{Use: "policy", Short: "What the published texts promise"}
	board := &cobra.Command{Use: "board", Short: "Print each clause and how far it is kept", Args: cobra.NoArgs}
	asJSON := board.Flags().Bool("json", false, "for programs")
	board.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, log, err := o.load()
		if err != nil {
			return err
		}
		return app.PolicyBoard(cmd.Context(), cfg, *asJSON, o.out, log)
	}
	gather := &cobra.Command{Use: "evidence", Short: "Ask this installation for all evidence now and print the board with it", Args: cobra.NoArgs}
	rows := gather.Flags().Bool("json", false, "for programs")
	gather.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, log, err := o.load()
		if err != nil {
			return err
		}
		return app.PolicyEvidence(cmd.Context(), cfg, *rows, o.out, log)
	}
	c.AddCommand(board, gather, o.policyLint(), o.policyPublish(), &cobra.Command{
		Use: "datamap", Short: "Print the data map: the class of all that is stored, logged, enqueued, sent or answered", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return app.PolicyDataMap(o.out) },
	}, &cobra.Command{
		Use: "quotes", Short: "Print the digests of the texts' paragraphs, for the clause registry", Args: cobra.NoArgs, Hidden: true,
		RunE: func(*cobra.Command, []string) error { return app.PolicyQuotes(o.out) },
	})
	return c
}

func (o *options) policyLint() *cobra.Command {
	c := &cobra.Command{Use: "lint", Short: "Say what stands against publishing this profile's texts today", Args: cobra.NoArgs}
	asJSON := c.Flags().Bool("json", false, "for programs")
	c.RunE = func(*cobra.Command, []string) error {
		cfg, err := config.Load(o.file)
		if err != nil {
			return err
		}
		return app.PolicyLint(cmp.Or(o.profile, cfg.Profile), time.Now(), *asJSON, o.out)
	}
	return c
}

func (o *options) policyPublish() *cobra.Command {
	c := &cobra.Command{
		Use: "publish DOCUMENT", Short: "Publish a document with your present facts, or say what stands against it", Args: cobra.ExactArgs(1),
		Long: "Publish the next version of a document (platform, client, terms, agreement, sla) with the operator's present facts. It is refused where a clause that it promises is not enforced, an article that it names is not in force, a required item is missing, a day or a name is not the record's, or its words are not those of the clause registry. Before, it shows which sections differ from the version there is and which consents are asked anew, and asks.",
	}
	var d app.PolicyDraft
	c.Flags().BoolVar(&d.Major, "major", false, "people have to accept again")
	c.Flags().StringVar(&d.From, "from", "", "day from which it holds, 2026-12-24; seven days ahead or more")
	c.Flags().BoolVar(&d.Yes, "yes", false, "publish without a question")
	c.Flags().BoolVar(&d.JSON, "json", false, "for programs; needs --yes")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, log, err := o.load()
		if err != nil {
			return err
		}
		d.Document, d.Ask = args[0], cmd.InOrStdin()
		return app.PolicyPublish(cmd.Context(), cfg, d, o.out, log)
	}
	return c
}

func (o *options) backup() *cobra.Command {
	c := &cobra.Command{
		Use: "backup", Short: "Back up both stores now", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, log, err := o.load()
			if err != nil {
				return err
			}
			return app.Backup(cmd.Context(), c, o.out, log)
		},
	}
	c.AddCommand(&cobra.Command{
		Use: "keygen FILE", Short: "Make a key of backups: the private half in FILE, the public one in FILE.pub", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return app.BackupKey(args[0], o.out) },
	}, &cobra.Command{
		Use: "list", Short: "List backups and restores", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, log, err := o.load()
			if err != nil {
				return err
			}
			return app.ListBackups(cmd.Context(), c, o.out, log)
		},
	}, o.drill())
	return c
}

func (o *options) drill() *cobra.Command {
	var mainKey, keysKey string
	c := &cobra.Command{
		Use: "drill", Short: "Restore the newest backups for practice, verify them and record the result", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, log, err := o.load()
			if err != nil {
				return err
			}
			return app.Drill(cmd.Context(), c, mainKey, keysKey, o.out, log)
		},
	}
	c.Flags().StringVar(&mainKey, "key", "", "private key of the main database's backups")
	c.Flags().StringVar(&keysKey, "keystore-key", "", "private key of the key store's backups")
	return c
}

func (o *options) restore() *cobra.Command {
	var in app.Restoring
	c := &cobra.Command{
		Use: "restore", Short: "Fill a new installation from backups", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, _, err := o.load()
			if err != nil {
				return err
			}
			return app.Restore(cmd.Context(), c, in, o.out)
		},
	}
	f := c.Flags()
	f.StringVar(&in.Main, "from", "", "manifest of a backup of the main database")
	f.StringVar(&in.MainKey, "key", "", "private key of it")
	f.StringVar(&in.Keys, "keystore-from", "", "manifest of a backup of the key store, of the same run or later")
	f.StringVar(&in.KeysKey, "keystore-key", "", "private key of it")
	return c
}

func (o *options) doctor() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Say what this machine lacks", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, _, err := o.load()
			if err != nil {
				return err
			}
			return app.Doctor(cmd.Context(), c, o.out)
		},
	}
}

func (o *options) admin() *cobra.Command {
	c := &cobra.Command{Use: "admin", Short: "Operate this installation"}
	audit := &cobra.Command{Use: "audit", Short: "The tamper-evident log"}
	audit.AddCommand(&cobra.Command{
		Use: "verify", Short: "Recompute the Merkle log and compare it with its signed checkpoint", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, log, err := o.load()
			if err != nil {
				return err
			}
			return app.VerifyAudit(cmd.Context(), c, o.out, log)
		},
	})
	node := &cobra.Command{
		Use: "node-key CERTIFICATE", Short: "Print the digest that gwlink.nodes[].key_sha256 names a gateway node by", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return app.NodeKey(args[0], o.out) },
	}
	c.AddCommand(audit, node, o.addStaff(), o.resetStaff(), o.disableStaff(), o.breakGlass(), o.addTraining(), o.publishCatalogue(),
		o.nodes(), o.drainNode("drain-node", true), o.drainNode("undrain-node", false),
		o.quotaRequests(), o.setQuota(), o.declineQuota())
	return c
}

func (o *options) addStaff() *cobra.Command {
	var permissions, roles []string
	cmd := &cobra.Command{
		Use: "add-staff NAME EMAIL", Short: "Make a staff account, or change its roles; prints password and second factor once", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, log, err := o.load()
			if err != nil {
				return err
			}
			return app.AddStaff(cmd.Context(), c, app.NewStaff{Name: args[0], Email: args[1], Roles: roles, Permissions: permissions}, o.out, log)
		},
	}
	cmd.Flags().StringSliceVar(&permissions, "permission", nil, "what the account may do besides, once per permission or separated by commas")
	cmd.Flags().StringSliceVar(&roles, "role", nil, "system, security, audit, desk or identity; the first three exclude one another, and audit excludes all (default, for the first account of an installation: all that nobody else holds, for 30 days)")
	return cmd
}

func (o *options) resetStaff() *cobra.Command {
	return &cobra.Command{
		Use: "reset-staff NAME", Short: "Give a member of the staff a new password and second factor, printed once; ends all sessions", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, log, err := o.load()
			if err != nil {
				return err
			}
			return app.ResetStaff(cmd.Context(), c, args[0], o.out, log)
		},
	}
}

func (o *options) addTraining() *cobra.Command {
	var day string
	cmd := &cobra.Command{
		Use: "add-training NAME", Short: "Record that a member of the staff was taught how personal data are handled; it holds for twelve months", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, log, err := o.load()
			if err != nil {
				return err
			}
			return app.AddTraining(cmd.Context(), c, args[0], day, o.out, log)
		},
	}
	cmd.Flags().StringVar(&day, "on", "", "the day, such as 2026-11-28 (default: today)")
	return cmd
}

func (o *options) disableStaff() *cobra.Command {
	return &cobra.Command{
		Use: "disable-staff NAME", Short: "Take a member of the staff all permissions and end all sessions", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, log, err := o.load()
			if err != nil {
				return err
			}
			return app.DisableStaff(cmd.Context(), c, args[0], o.out, log)
		},
	}
}

func (o *options) breakGlass() *cobra.Command {
	var role, reason string
	cmd := &cobra.Command{
		Use: "break-glass NAME", Short: "Put system or security administration in force for a member of the staff for four hours, in the place of what the account holds", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, log, err := o.load()
			if err != nil {
				return err
			}
			return app.BreakGlass(cmd.Context(), c, app.Glass{Name: args[0], Role: role, Reason: reason}, o.out, log)
		},
	}
	cmd.Flags().StringVar(&role, "role", "", "system or security")
	cmd.Flags().StringVar(&reason, "reason", "", "why; it is in the log")
	return cmd
}

func (o *options) publishCatalogue() *cobra.Command {
	return &cobra.Command{
		Use: "publish-catalogue FILE", Short: "Make a file (YAML) the current catalogue of products and prices", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, log, err := o.load()
			if err != nil {
				return err
			}
			return app.PublishCatalogue(cmd.Context(), c, args[0], o.out, log)
		},
	}
}

func (o *options) nodes() *cobra.Command {
	return &cobra.Command{
		Use: "nodes", Short: "List the gateway nodes", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, log, err := o.load()
			if err != nil {
				return err
			}
			return app.ListNodes(cmd.Context(), c, o.out, log)
		},
	}
}

func (o *options) drainNode(name string, on bool) *cobra.Command {
	short := map[bool]string{true: "Let a gateway node take no new logins and no new gateways; sessions go on", false: "Bring a draining gateway node back"}
	return &cobra.Command{
		Use: name + " NAME", Short: short[on], Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, log, err := o.load()
			if err != nil {
				return err
			}
			return app.DrainNode(cmd.Context(), c, args[0], on, o.out, log)
		},
	}
}

func (o *options) quotaRequests() *cobra.Command {
	return &cobra.Command{
		Use: "quota-requests", Short: "List what customers asked for more of", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, log, err := o.load()
			if err != nil {
				return err
			}
			return app.ListQuotaRequests(cmd.Context(), c, o.out, log)
		},
	}
}

func (o *options) setQuota() *cobra.Command {
	return &cobra.Command{
		Use: "set-quota ACCOUNT NAME LIMIT REASON", Short: "Give an account a limit of its own, with a reason for the audit log", Args: cobra.ExactArgs(4),
		RunE: func(cmd *cobra.Command, args []string) error {
			limit, err := strconv.Atoi(args[2])
			if err != nil {
				return fmt.Errorf("LIMIT is a number, not %q", args[2])
			}
			return o.decideQuota(cmd, app.QuotaDecision{Account: args[0], Name: args[1], Limit: limit, Reason: args[3]})
		},
	}
}

func (o *options) declineQuota() *cobra.Command {
	return &cobra.Command{
		Use: "decline-quota ACCOUNT NAME REASON", Short: "Decline what an account asked for more of, with a reason for the audit log", Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.decideQuota(cmd, app.QuotaDecision{Account: args[0], Name: args[1], Decline: true, Reason: args[2]})
		},
	}
}

func (o *options) decideQuota(cmd *cobra.Command, d app.QuotaDecision) error {
	c, log, err := o.load()
	if err != nil {
		return err
	}
	return app.DecideQuota(cmd.Context(), c, d, o.out, log)
}
