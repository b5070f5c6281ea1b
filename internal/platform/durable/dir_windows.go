package durable

// syncDir does nothing: NTFS keeps a log of its names and lets nobody sync them.
func syncDir(string) error { return nil }
