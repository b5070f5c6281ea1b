package backup

import "github.com/skybridge-cloud/skybridge/internal/platform/envelope"

// Format is that of a backup's file and of its keys.
var Format = envelope.Format{Name: "skybridge-backup", Version: 1}
