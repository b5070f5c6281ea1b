package app

import (
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/residency"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
)

// ErrResidency says that a store does not stand where the profile wants it, or
// that nobody vouches for it; the program ends with ExitUnclassified.
var ErrResidency = residency.ErrRegion

// attestor is who vouches for the stores' places; of a demonstration, itself.
func attestor(cfg config.Config) string {
	if cfg.Demo.Enabled && cfg.Residency.Attestor == "" {
		return "demonstration"
	}
	return cfg.Residency.Attestor
}

// places are the stores that this configuration has, where it says they stand.
func places(cfg config.Config) []residency.Store {
	r := cfg.Residency
	all := []residency.Store{
		{Kind: "database", Region: r.Database},
		{Kind: "keystore", Region: r.KeyStore},
		{Kind: "logs", Region: r.Logs},
		{Kind: "spool", Region: r.Spool},
	}
	if r.Replicas != "" || strings.Contains(cfg.Database+cfg.KeyStore, ",") {
		all = append(all, residency.Store{Kind: "replicas", Region: r.Replicas})
	}
	if cfg.Backup.Main.Directory != "" {
		all = append(all, residency.Store{Kind: "backup_main", Region: r.BackupMain}, residency.Store{Kind: "backup_keys", Region: r.BackupKeys})
	}
	for i := range all {
		if cfg.Demo.Enabled && all[i].Region == "" {
			all[i].Region = cfg.Region()
		}
	}
	return all
}

func mechanisms(cfg config.Config) []residency.Mechanism {
	var all []residency.Mechanism
	for _, m := range cfg.Residency.Mechanisms {
		all = append(all, residency.Mechanism(m))
	}
	return all
}
