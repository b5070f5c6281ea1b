package tun

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.zx2c4.com/wintun"
)

// Name is the i-th name of our devices.
func Name(i int) string { return fmt.Sprint("sky", i) }

// ErrWintun says that Windows has no driver that a tunnel could be made with.
var ErrWintun = errors.New("tun: wintun.dll is missing from the program's directory, or not signed")

// ring is the memory between driver and program, in each direction.
const ring = 8 << 20

// Open makes the Wintun adapter name. It has one queue, however many are asked
// for. Addresses and MTU are the caller's to set; it goes away when the queue is
// closed. ErrWintun where the driver's library is not there. Untested: it is only
// built.
func Open(name string, _ int) ([]Queue, error) {
	if err := checkWintun(); err != nil {
		return nil, err
	}
	id := adapterID(name)
	adapter, err := wintun.CreateAdapter(name, "skyconnect", &id)
	if err != nil {
		return nil, fmt.Errorf("making tun %s: %w", name, err)
	}
	session, err := adapter.StartSession(ring)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making tun %s: %w", name, err), adapter.Close())
	}
	stop, err := windows.CreateEvent(nil, 1, 0, nil)
	if err != nil {
		session.End()
		return nil, errors.Join(fmt.Errorf("making tun %s: %w", name, err), adapter.Close())
	}
	w := &wintunDevice{adapter: adapter, session: session, ready: session.ReadWaitEvent(), stop: stop}
	return []Queue{newPlainQueue(w)}, nil
}

// adapterID is the same for a name each time, so that the system does not take
// each connection for a network that it never saw.
func adapterID(name string) windows.GUID {
	h := sha256.Sum256([]byte("skyconnect adapter " + name))
	g := windows.GUID{Data1: binary.LittleEndian.Uint32(h[:]), Data2: binary.LittleEndian.Uint16(h[4:]), Data3: binary.LittleEndian.Uint16(h[6:])}
	copy(g.Data4[:], h[8:])
	return g
}

// checkWintun looks at the library before it is loaded into a privileged process:
// it must lie beside the program, where only administrators write, and carry a
// signature that the system trusts.
func checkWintun() error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the program: %w", err)
	}
	path := filepath.Join(filepath.Dir(exe), "wintun.dll")
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("%w: %s: get it from wintun.net", ErrWintun, path)
	}
	if err := signed(path); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrWintun, path, err)
	}
	return nil
}

// signed asks the system whether a file has an Authenticode signature of a
// publisher that it trusts. Revocation is not looked up, for no packet may leave
// for it.
func signed(path string) error {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	data := &windows.WinTrustData{
		Size:        uint32(unsafe.Sizeof(windows.WinTrustData{})),
		UIChoice:    windows.WTD_UI_NONE,
		UnionChoice: windows.WTD_CHOICE_FILE,
		StateAction: windows.WTD_STATEACTION_VERIFY,
		ProvFlags:   windows.WTD_CACHE_ONLY_URL_RETRIEVAL,
		FileOrCatalogOrBlobOrSgnrOrCert: unsafe.Pointer(&windows.WinTrustFileInfo{
			Size: uint32(unsafe.Sizeof(windows.WinTrustFileInfo{})), FilePath: name,
		}),
	}
	verdict := windows.WinVerifyTrustEx(windows.InvalidHWND, &windows.WINTRUST_ACTION_GENERIC_VERIFY_V2, data)
	data.StateAction = windows.WTD_STATEACTION_CLOSE
	_ = windows.WinVerifyTrustEx(windows.InvalidHWND, &windows.WINTRUST_ACTION_GENERIC_VERIFY_V2, data) // frees
	return verdict
}

// wintunDevice is a session of an adapter. The driver's ring must not be touched
// once the session has ended, so that whoever uses it holds mu.
type wintunDevice struct {
	adapter     *wintun.Adapter
	session     wintun.Session
	ready, stop windows.Handle

	mu     sync.RWMutex // read-held while the session is in use
	closed bool
	once   sync.Once
	end    error
}

func (w *wintunDevice) readPacket(buf []byte, wait bool) (int, error) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	for !w.closed {
		p, err := w.session.ReceivePacket()
		switch {
		case err == nil:
			n := copy(buf[HeaderLen:], p)
			w.session.ReleaseReceivePacket(p)
			return n, nil
		case !errors.Is(err, windows.ERROR_NO_MORE_ITEMS):
			return 0, fmt.Errorf("reading from tun: %w", err)
		case !wait:
			return 0, nil
		}
		which, err := windows.WaitForMultipleObjects([]windows.Handle{w.stop, w.ready}, false, windows.INFINITE)
		if err != nil {
			return 0, fmt.Errorf("waiting for tun: %w", err)
		}
		if which == windows.WAIT_OBJECT_0 {
			break
		}
	}
	return 0, os.ErrClosed
}

// writePacket drops what a full ring has no room for, as a device does.
func (w *wintunDevice) writePacket(frame []byte) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return os.ErrClosed
	}
	p := frame[HeaderLen:]
	out, err := w.session.AllocateSendPacket(len(p))
	if errors.Is(err, windows.ERROR_BUFFER_OVERFLOW) {
		return nil
	}
	if err != nil {
		return err
	}
	copy(out, p)
	w.session.SendPacket(out)
	return nil
}

func (w *wintunDevice) Close() error {
	w.once.Do(func() {
		_ = windows.SetEvent(w.stop) // a waiting reader lets mu go
		w.mu.Lock()
		defer w.mu.Unlock()
		w.closed = true
		w.session.End()
		w.end = errors.Join(w.adapter.Close(), windows.CloseHandle(w.stop))
	})
	return w.end
}
