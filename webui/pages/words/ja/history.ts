import type { Words } from "../words.ts";

export const history: Words["history"] = {
  lead: "これまでに確定したすべての設定です。どのリビジョンにも戻せます。",
  inForce: "適用中",
  by: "変更者",
  noComment: "コメントなし",
  show: "変更内容",
  showText: "設定全文",
  rollBack: "このリビジョンに戻す",
  rollBackTitle: "設定を戻す",
  rollBackAsk: (time) => `${time} の設定を新しいリビジョンとして適用します。`,
  older: "さらに古いリビジョン",
  none: "確定した設定はまだありません。",
  changed: "このリビジョンでの変更",
  first: "最初のリビジョンです。",
  comparedTo: "このリビジョンに戻した場合の変更",
  same: "変更はありません。",
  notWhole: "このリビジョンの内容は残っていません。",
  aside: "適用中の系列に含まれないリビジョン",
  unconfirmed: "承認待ち",
  beyond: "差分が大きすぎるため、設定全文を参照してください。",
};
