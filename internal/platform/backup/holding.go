package backup

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes the columns: facts about files, nothing about persons.
func Holdings() []holding.Table {
	return []holding.Table{
		holding.Of("backup_run",
			holding.None("an opaque id of a file", "id"),
			holding.None("which database, and the region where it is", "store", "region"),
			holding.None("when a file was written and will be removed", "at", "finished_at", "expires_at"),
			holding.None("size and digest of an encrypted file", "size", "sha256", "checkpoint_size"),
			holding.None("an error text of our own code, without values of rows", "error"),
		),
		holding.Of("backup_restore",
			holding.None("an opaque id of a restore and of its file", "id", "backup"),
			holding.None("when the file was written and the service opened", "backup_at", "opened_at"),
			holding.None("how many, not who or what", "tombstones", "lost"),
		),
		holding.Of("backup_drill",
			holding.None("an opaque id of a drill and of its file", "id", "backup"),
			holding.None("digest of an encrypted file", "backup_sha256"),
			holding.None("when it was and how long it took", "at", "rpo_seconds", "rto_seconds"),
			holding.None("how many, not who or what", "row_count", "leaves"),
			holding.None("an error text of our own code, without values of rows", "error"),
		),
	}
}
