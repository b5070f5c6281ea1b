package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
	"unsafe"

	"github.com/spf13/cobra"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

// The daemon as a service. Untested: it is only built.

const serviceName = "skyconnect"

// stateDir is where the daemon remembers what it changed.
func stateDir() string {
	base, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, 0)
	if err != nil {
		base = `C:\ProgramData`
	}
	return filepath.Join(base, "skyconnect")
}

// ownersOnly is full access for the system and administrators, inherited by what
// is made below, and none for anybody else.
const ownersOnly = "O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

// harden makes the state's directory for administrators alone. One that somebody
// else has made in the shared place is refused: its owner could open it again.
func harden(dir string) error {
	sd, err := windows.SecurityDescriptorFromString(ownersOnly)
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return err
	}
	sa := &windows.SecurityAttributes{Length: uint32(unsafe.Sizeof(windows.SecurityAttributes{})), SecurityDescriptor: sd}
	if err := windows.CreateDirectory(name, sa); err != nil && !errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
		return fmt.Errorf("making %s: %w", dir, err)
	}
	if err := ownedBySystem(dir); err != nil {
		return err
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return err
	}
	err = windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil)
	if err != nil {
		return fmt.Errorf("closing %s to others: %w", dir, err)
	}
	return nil
}

func ownedBySystem(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	have, err := windows.GetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("whose %s is: %w", dir, err)
	}
	owner, _, err := have.Owner()
	if err != nil {
		return fmt.Errorf("whose %s is: %w", dir, err)
	}
	if !info.IsDir() || !owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) && !owner.IsWellKnown(windows.WinLocalSystemSid) {
		return fmt.Errorf("%s is not a directory of the system's or the administrators'", dir)
	}
	return nil
}

// underManager runs the daemon as a service, or until ctx ends where a person has
// started it.
func underManager(ctx context.Context, run func(context.Context) error) error {
	service, err := svc.IsWindowsService()
	if err != nil || !service {
		return errors.Join(err, run(ctx))
	}
	s := &daemonService{ctx: ctx, run: run}
	return errors.Join(svc.Run(serviceName, s), s.err)
}

// daemonService answers the service manager while the daemon runs.
type daemonService struct {
	ctx context.Context
	run func(context.Context) error
	err error // of run
}

// Execute implements [svc.Handler].
func (s *daemonService) Execute(_ []string, asked <-chan svc.ChangeRequest, tell chan<- svc.Status) (bool, uint32) {
	const accepts = svc.AcceptStop | svc.AcceptShutdown
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.run(ctx) }()
	tell <- svc.Status{State: svc.Running, Accepts: accepts}
	for {
		select {
		case s.err = <-done:
			tell <- svc.Status{State: svc.StopPending}
			if s.err != nil {
				return true, 1
			}
			return false, 0
		case r := <-asked:
			switch r.Cmd {
			case svc.Interrogate:
				tell <- r.CurrentStatus
			case svc.Stop, svc.Shutdown:
				tell <- svc.Status{State: svc.StopPending}
				cancel()
			}
		}
	}
}

// manage are the commands that make the service and take it away.
func manage() []*cobra.Command {
	return []*cobra.Command{
		{
			Use: "install", Short: "Make the daemon a service that starts with the machine (administrator)", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { return installService() },
		},
		{
			Use: "remove", Short: "Stop the service and take it away (administrator)", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { return removeService() },
		},
	}
}

func installService() error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	m, err := mgr.Connect()
	if err != nil {
		return fmt.Errorf("reaching the service manager: %w", err)
	}
	defer func() { _ = m.Disconnect() }()
	s, err := m.CreateService(serviceName, exe, mgr.Config{
		DisplayName: "Skybridge Connect", Description: "Makes VPN connections for the people of this machine.",
		StartType: mgr.StartAutomatic, ErrorControl: mgr.ErrorNormal, Dependencies: []string{"Nsi", "TcpIp"},
		SidType: windows.SERVICE_SID_TYPE_UNRESTRICTED,
	}, "daemon")
	if err != nil {
		return fmt.Errorf("making the service: %w", err)
	}
	defer func() { _ = s.Close() }()
	again := []mgr.RecoveryAction{{Type: mgr.ServiceRestart, Delay: 2 * time.Second}}
	if err := s.SetRecoveryActions(again, 60); err != nil {
		return fmt.Errorf("having the service start again: %w", err)
	}
	return s.Start()
}

// stopLimit is how long a service may take to restore the network.
const stopLimit = 30 * time.Second

func removeService() error {
	m, err := mgr.Connect()
	if err != nil {
		return fmt.Errorf("reaching the service manager: %w", err)
	}
	defer func() { _ = m.Disconnect() }()
	s, err := m.OpenService(serviceName)
	if err != nil {
		return fmt.Errorf("finding the service: %w", err)
	}
	defer func() { _ = s.Close() }()
	if err := stopService(s); err != nil {
		return err
	}
	return s.Delete()
}

func stopService(s *mgr.Service) error {
	status, err := s.Control(svc.Stop)
	if errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
		return nil
	}
	end := time.Now().Add(stopLimit)
	for err == nil && status.State != svc.Stopped && time.Now().Before(end) {
		time.Sleep(200 * time.Millisecond)
		status, err = s.Query()
	}
	if err != nil {
		return fmt.Errorf("stopping the service: %w", err)
	}
	if status.State != svc.Stopped {
		return errors.New("the service does not stop")
	}
	return nil
}
