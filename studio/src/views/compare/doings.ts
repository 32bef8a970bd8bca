/** What is done with both: they are looked at, gone back through, taught one step, shown a changed photo. */
export const doings = ['Forwards', 'Backwards', 'One step', 'Change the photo'] as const;
export type Doing = (typeof doings)[number];

const inAddress: Record<Doing, string | undefined> = {
  Forwards: undefined,
  Backwards: 'backwards',
  'One step': 'step',
  'Change the photo': 'photo'
};

/** What an address asks for; what it does not know is Forwards. */
export const doingOf = (query: Readonly<Record<string, string>>): Doing =>
  doings.find((doing) => inAddress[doing] === query['mode']) ?? 'Forwards';

export const queryOf = (doing: Doing): Record<string, string | undefined> => ({
  mode: inAddress[doing]
});
