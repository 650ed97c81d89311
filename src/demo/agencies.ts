import type { Agency } from '../accounts/agency.js';
import { agencyCode } from '../kernel/ids.js';

const agency = (code: string, name: string, parentCode?: string): Agency => ({
  code: agencyCode(code),
  name,
  parentCode: parentCode === undefined ? undefined : agencyCode(parentCode),
});

/** A small country: the personnel agency, a ministry, and a province with a regency and a city below it. */
export const DEMO_AGENCIES: readonly Agency[] = [
  agency('BKN', 'Badan Kepegawaian Negara'),
  agency('KEMENKEU', 'Kementerian Keuangan'),
  agency('KEMENKEU-SDM', 'Biro Sumber Daya Manusia, Kementerian Keuangan', 'KEMENKEU'),
  agency('JATENG', 'Pemerintah Provinsi Jawa Tengah'),
  agency('JATENG-BKD', 'BKD Provinsi Jawa Tengah', 'JATENG'),
  agency('BOYOLALI', 'Pemerintah Kabupaten Boyolali', 'JATENG'),
  agency('BOYOLALI-BKPSDM', 'BKPSDM Kabupaten Boyolali', 'BOYOLALI'),
  agency('BOYOLALI-DISDIK', 'Dinas Pendidikan Kabupaten Boyolali', 'BOYOLALI'),
  agency('SURAKARTA', 'Pemerintah Kota Surakarta', 'JATENG'),
  agency('SURAKARTA-BKPSDM', 'BKPSDM Kota Surakarta', 'SURAKARTA'),
];
