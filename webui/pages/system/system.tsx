/** Accounts, certificate, backup files and the box as a machine; each part for whoever may use it. */
import { Card, PageHead } from "../parts/card.tsx";
import { LookChoice } from "../parts/look.tsx";
import { may } from "../state/session.ts";
import { words } from "../state/settings.ts";
import { BackupCard, RestoreCard } from "./backup-card.tsx";
import { BoxCard } from "./box-card.tsx";
import { CertificateCard } from "./certificate-card.tsx";
import { PanelCard } from "./panel-card.tsx";
import { PasswordCard } from "./password-card.tsx";
import { PowerCard } from "./power-card.tsx";
import { SessionsCard } from "./sessions-card.tsx";
import { TokensCard } from "./tokens-card.tsx";
import { UpdateCard } from "./update-card.tsx";
import { UsersCard } from "./users-card.tsx";

export function System() {
  const isAdmin = may("admin");
  return (
    <>
      <PageHead title={words.value.shell.pages.system} />
      <div class="cards">
        <BoxCard />
        <Card title={words.value.system.look} icon="overview">
          <LookChoice />
        </Card>
        <PasswordCard />
        <PanelCard />
      </div>
      <UpdateCard />
      {isAdmin && <UsersCard />}
      {isAdmin && <TokensCard />}
      {isAdmin && <SessionsCard />}
      <CertificateCard />
      {isAdmin && (
        <div class="cards">
          <BackupCard />
          <RestoreCard />
        </div>
      )}
      {isAdmin && <PowerCard />}
    </>
  );
}
