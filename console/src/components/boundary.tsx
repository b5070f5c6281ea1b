import { Component, type ReactNode } from 'react';
import { ErrorState } from './problem';

/**
 * A page that broke shows its error inside the frame, so that the person can go elsewhere. Only a
 * reload mends what did not come or broke: React keeps both.
 */
export class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return <ErrorState error={this.state.error} retry={() => window.location.reload()} />;
  }
}
